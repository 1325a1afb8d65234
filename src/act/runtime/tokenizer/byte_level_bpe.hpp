// Byte-level BPE, the tokenizer of GPT-2, OPT, GPT-J, GPT-NeoX and SmolLM: special tokens out first, then
// pieces, then merges within each piece. Ids equal those of the Python package `tokenizers`. It is made from
// parts that are already in memory; load.hpp makes it from files.
#pragma once

#include <act/runtime/tokenizer/merge_table.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {

/// What a byte-level BPE tokenizer is made of.
struct byte_level_bpe_parts {
  std::string source;  ///< the file, for messages
  std::vector<std::pair<std::string, token_id>>
      tokens;  ///< in the byte alphabet's spelling; ids distinct, holes allowed
  std::vector<std::pair<std::string, std::string>> merges;  ///< most preferred first
  std::vector<special_token> special;  ///< may have ids beyond, or among, those of `tokens`
  unicode_normalizer normalize;        ///< applied between special tokens, before the pre-tokenizer
  pre_tokenizer pre;
  std::optional<token_id> bos, eos;
  std::vector<token_id> ends;           ///< what ends a text beside eos
  std::vector<token_id> before, after;  ///< what add_special puts around a text
  std::optional<token_id>
      unknown;                ///< for bytes the vocabulary lacks; without it they vanish, as in the reference
  bool fuse_unknown = false;  ///< runs of unknown bytes are one unknown token
  bool whole_pieces = false;  ///< a piece that is a token becomes it without merging (`ignore_merges`)
  bool prefix_space = false;  ///< stretches between special tokens get a leading space if they have none
  bool other_steps = false;   ///< `pre` has more than the ByteLevel step; for readers, it changes nothing
};

class byte_level_bpe final : public tokenizer {
 public:
  /// Throws `error` (invalid_input) naming the source for duplicate tokens or ids, ids out of range, and
  /// merges of or into tokens that don't exist.
  explicit byte_level_bpe(byte_level_bpe_parts parts);

  [[nodiscard]] std::vector<token_id> encode(
      std::string_view text, special_tokens_in_text written = special_tokens_in_text::are_text,
      bool add_special = true) const override;

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = false) const override;

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return entries_.size(); }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override;
  [[nodiscard]] std::optional<token_id> bos() const noexcept override { return bos_; }
  [[nodiscard]] std::optional<token_id> eos() const noexcept override { return eos_; }

 private:
  static constexpr token_id absent = -1;
  // Beyond every vocabulary there is; keeps a hostile id from asking for gigabytes.
  static constexpr token_id largest_id = (1 << 21) - 1;
  struct entry {
    std::string bytes;
    bool present = false, control = false;
  };

  [[noreturn]] void fail(std::string_view what) const;

  void check_id(token_id id) const;

  entry& entry_at(token_id id, std::string_view token);

  void add_tokens(const std::vector<std::pair<std::string, token_id>>& tokens);

  void add_special(std::vector<special_token> special);

  void add_merges(const std::vector<std::pair<std::string, std::string>>& merges);

  /// Scratch memory of one call.
  struct piece_buffers {
    std::string spaced;
    std::vector<std::string_view> pieces;
    std::vector<token_id> ids;
    merge_table::workspace merging;
  };

  /// Text without special tokens.
  void encode_stretch(std::string_view stretch, piece_buffers& buffers, std::vector<token_id>& ids) const;

  void encode_piece(std::string_view piece, std::vector<token_id>& piece_ids, merge_table::workspace& scratch,
                    std::vector<token_id>& ids) const;

  std::string source_;
  std::vector<entry> entries_;
  std::unordered_map<std::string, token_id> ids_;
  merge_table merges_;
  special_tokens special_, normalized_special_;  // looked for in the raw text, and after normalisation
  unicode_normalizer normalize_;
  pre_tokenizer pre_;
  std::optional<token_id> bos_, eos_;
  std::vector<token_id> before_, after_;
  std::optional<token_id> unknown_;
  bool fuse_unknown_, whole_pieces_, prefix_space_;
  std::array<token_id, 256> byte_ids_{};
};

}  // namespace act::runtime
