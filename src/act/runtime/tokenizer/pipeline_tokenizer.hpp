// The tokenizer of most model files: special tokens out first, then the text's normal form, then pieces, then
// the model's tokens within each piece. Byte-level BPE (GPT-2, OPT, GPT-J, GPT-NeoX, BLOOM, Llama 3, Qwen,
// SmolLM), BPE with byte fallback (Llama 2, Mistral, Gemma) and unigram models are such pipelines. Ids and
// decoded text equal those of the Python package `tokenizers`. It is made from parts that are already in
// memory; load.hpp makes it from files.
#pragma once

#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/unigram_model.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace act::runtime {

/// What a tokenizer is made of.
struct pipeline_parts {
  std::string source;                                  ///< the file, for messages
  vocabulary::list tokens;                             ///< the model's; ids distinct, holes allowed
  std::variant<bpe_settings, unigram_settings> model;  ///< what else it has
  std::vector<special_token> special;                  ///< may have ids beyond, or among, those of `tokens`
  bool special_decoded = true;  ///< special tokens pass through the decoder; else they are their text
  text_normalizer normalize;    ///< applied between special tokens, before the pre-tokenizer
  pre_tokenizer pre;
  token_decoder decode;
  std::optional<token_id> bos, eos;
  std::vector<token_id> ends;           ///< what ends a text beside eos
  std::vector<token_id> before, after;  ///< what add_special puts around a text
};

class pipeline_tokenizer final : public tokenizer {
 public:
  /// Throws `error`: invalid_input naming the source for duplicate tokens or ids, ids out of range, and what
  /// the model refuses.
  explicit pipeline_tokenizer(pipeline_parts parts);

  [[nodiscard]] std::vector<token_id> encode(
      std::string_view text, special_tokens_in_text written = special_tokens_in_text::are_text,
      bool add_special = true) const override;

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = false) const override;

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return entries_.size(); }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override;
  [[nodiscard]] std::optional<token_id> bos() const noexcept override { return bos_; }
  [[nodiscard]] std::optional<token_id> eos() const noexcept override { return eos_; }

 private:
  // Beyond every vocabulary there is; keeps a hostile id from asking for gigabytes.
  static constexpr token_id largest_id = (1 << 21) - 1;
  struct entry {
    std::string spelling;  // as the decoder takes it
    bool present = false, control = false;
    bool literal = false;  // passes by the decoder
  };
  using token_model = std::variant<bpe_model, unigram_model>;

  [[noreturn]] void fail(std::string_view what) const;

  void check_id(token_id id) const;

  entry& entry_at(token_id id, std::string_view token);

  /// The model, once its tokens are in `entries_`.
  [[nodiscard]] token_model make_model(const pipeline_parts& parts);

  void add_tokens(const vocabulary::list& tokens);

  void add_special(std::vector<special_token> special, bool decoded);

  /// Scratch memory of one call.
  struct piece_buffers {
    text_pieces pieces;
    pre_tokenizer::workspace cutting;
    bpe_model::workspace merging;
    unigram_model::workspace choosing;
  };

  /// Text without special tokens, in its normal form.
  void encode_stretch(std::string_view stretch, bool first, piece_buffers& buffers,
                      std::vector<token_id>& ids) const;

  std::string source_;
  std::vector<entry> entries_;
  token_model model_;
  std::unordered_map<std::string, token_id> special_ids_;
  special_tokens special_, normalized_special_;  // looked for in the raw text, and in its normal form
  text_normalizer normalize_;
  pre_tokenizer pre_;
  token_decoder decode_;
  std::optional<token_id> bos_, eos_;
  std::vector<token_id> before_, after_;
};

}  // namespace act::runtime
