// One token for each character: the vocabulary of small models trained from scratch on a page of text
// (char_vocab.json, a character to its id). It has no special tokens and no way to write a character it
// doesn't know, so that is an error.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {

class character_tokenizer final : public tokenizer {
 public:
  /// `source` is the file, for messages. Throws `error` (invalid_input) for entries that aren't one
  /// character, and for ids that aren't 0 .. n - 1, each once.
  character_tokenizer(const std::vector<std::pair<std::string, token_id>>& characters, std::string source);

  /// Also throws `error` (invalid_input) for a character outside the vocabulary, naming it and its byte.
  [[nodiscard]] std::vector<token_id> encode(std::string_view text,
                                             special_tokens_in_text = special_tokens_in_text::are_text,
                                             bool = true) const override;

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool = false) const override;

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return characters_.size(); }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override;
  [[nodiscard]] std::optional<token_id> bos() const noexcept override { return std::nullopt; }
  [[nodiscard]] std::optional<token_id> eos() const noexcept override { return std::nullopt; }

 private:
  std::string source_;
  std::vector<std::string> characters_;  // by id
  std::unordered_map<std::string, token_id> ids_;
};

}  // namespace act::runtime
