// What every tokenizer of act can do: text to token ids and back. For the programs and the scoring code,
// which don't care which kind a model uses; load.hpp makes the right one for a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// The index of a token in the vocabulary and of its row in the embedding matrix.
using token_id = std::int32_t;

/// What special tokens written out in a text are (docs/tokenizers.md says who asks for which).
enum class special_tokens_in_text {
  are_text,    ///< characters like any others: no text makes a control token
  are_tokens,  ///< their ids, as in the reference tokenizers' own defaults
};

/// Immutable once made: every member may be called from any number of threads at a time.
class tokenizer {
 public:
  virtual ~tokenizer() = default;

  /// The ids of `text`, which is UTF-8. `written` says what special tokens written out in it
  /// ("<|im_start|>") are; tokens that were added to the vocabulary for ordinary text are always found.
  /// `add_special` adds what the model expects around a text (a beginning-of-text token, say); it adds
  /// nothing for models that expect nothing. Throws `error` (invalid_input), naming the byte, when the text
  /// isn't valid UTF-8: replacing what is wrong would silently score another text. Cost: O(n log n) in the
  /// text's length.
  [[nodiscard]] virtual std::vector<token_id> encode(
      std::string_view text, special_tokens_in_text written = special_tokens_in_text::are_text,
      bool add_special = true) const = 0;

  /// The bytes `ids` stand for, special tokens written out unless `skip_special`. A text cut between tokens
  /// may end inside a character. Throws `error` (invalid_input) for an id outside the vocabulary.
  [[nodiscard]] virtual std::string decode(std::span<const token_id> ids,
                                           bool skip_special = false) const = 0;

  /// One more than the largest id.
  [[nodiscard]] virtual std::size_t vocabulary_size() const noexcept = 0;

  /// The id of a token in the vocabulary's own spelling ("<|im_end|>", "\u0120the"), if there is one.
  [[nodiscard]] virtual std::optional<token_id> find(std::string_view token) const = 0;

  /// Beginning and end of text, where the model has them.
  [[nodiscard]] virtual std::optional<token_id> bos() const noexcept = 0;
  [[nodiscard]] virtual std::optional<token_id> eos() const noexcept = 0;

  /// Every id that ends a text, each once, in order: eos(), and what else the model's files name (the lists
  /// of `eos_token_id` in a folder, the end of a turn and of a message in a GGUF file).
  [[nodiscard]] std::span<const token_id> ends() const noexcept { return ends_; }

 protected:
  /// Throw `error` (invalid_input) in the words that all tokenizers share: for a text that isn't valid UTF-8
  /// at byte `at`, and for an id outside the vocabulary of `size`; `source` is the tokenizer's file.
  [[noreturn]] static void refuse_invalid_utf8(std::size_t at);
  [[noreturn]] static void refuse_token(const std::string& source, token_id id, std::size_t size);

  tokenizer() = default;
  tokenizer(const tokenizer&) = default;
  tokenizer& operator=(const tokenizer&) = default;

  /// Sets what ends() says, once, while the tokenizer is made.
  void end_with(std::optional<token_id> eos, std::vector<token_id> others);

 private:
  std::vector<token_id> ends_;
};

}  // namespace act::runtime
