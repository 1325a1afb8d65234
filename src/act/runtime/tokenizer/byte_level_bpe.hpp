// Byte-level BPE, the tokenizer of GPT-2, OPT, GPT-J, GPT-NeoX and SmolLM: special tokens out first, then
// pieces, then merges within each piece. Ids equal those of the Python package `tokenizers`. It is made from
// parts that are already in memory; load.hpp makes it from files.
#pragma once

#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/byte_alphabet.hpp>
#include <act/runtime/tokenizer/merge_table.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
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
  std::vector<token_id> before, after;  ///< what add_special puts around a text
  std::optional<token_id>
      unknown;                ///< for bytes the vocabulary lacks; without it they vanish, as in the reference
  bool fuse_unknown = false;  ///< runs of unknown bytes are one unknown token
  bool whole_pieces = false;  ///< a piece that is a token becomes it without merging (`ignore_merges`)
  bool prefix_space = false;  ///< stretches between special tokens get a leading space if they have none
};

class byte_level_bpe final : public tokenizer {
 public:
  /// Throws `error` (invalid_input) naming the source for duplicate tokens or ids, ids out of range, and
  /// merges of or into tokens that don't exist.
  explicit byte_level_bpe(byte_level_bpe_parts parts)
      : source_(std::move(parts.source)),
        normalize_(std::move(parts.normalize)),
        pre_(std::move(parts.pre)),
        bos_(parts.bos),
        eos_(parts.eos),
        before_(std::move(parts.before)),
        after_(std::move(parts.after)),
        unknown_(parts.unknown),
        fuse_unknown_(parts.fuse_unknown),
        whole_pieces_(parts.whole_pieces),
        prefix_space_(parts.prefix_space) {
    add_tokens(parts.tokens);
    add_special(std::move(parts.special));
    add_merges(parts.merges);
    for (const std::optional<token_id>& id : {bos_, eos_, unknown_})
      if (id) check_id(*id);
    for (const auto* list : {&before_, &after_})
      for (const token_id id : *list)
        check_id(id);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto found = ids_.find(character_of_byte(static_cast<unsigned char>(byte)));
      byte_ids_[byte] = found == ids_.end() ? absent : found->second;
    }
  }

  [[nodiscard]] std::vector<token_id> encode(std::string_view text, bool add_special = true) const override {
    if (const std::size_t bad = io::find_invalid_utf8(text); bad != std::string_view::npos)
      throw error(error_code::invalid_input, "text: at byte " + std::to_string(bad),
                  "isn't valid UTF-8; convert it, for example with iconv -f latin1 -t utf-8");
    std::vector<token_id> ids;
    if (add_special) ids = before_;
    std::vector<special_tokens::part> raw, parts;
    special_.split(text, raw);
    piece_buffers buffers;
    std::string normalized;
    for (const special_tokens::part& stretch : raw) {
      if (stretch.token != nullptr) {
        ids.push_back(stretch.token->id);
        continue;
      }
      std::string_view plain = stretch.text;
      if (!normalize_.empty()) plain = normalized = normalize_(plain);
      parts.clear();
      normalized_special_.split(plain, parts);
      for (const special_tokens::part& part : parts) {
        if (part.token != nullptr)
          ids.push_back(part.token->id);
        else
          encode_stretch(part.text, buffers, ids);
      }
    }
    if (add_special) ids.insert(ids.end(), after_.begin(), after_.end());
    return ids;
  }

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = false) const override {
    std::string text;
    for (const token_id id : ids) {
      check_id(id);
      const entry& e = entries_[static_cast<std::size_t>(id)];
      if (!(skip_special && e.control)) text += e.bytes;
    }
    return text;
  }

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return entries_.size(); }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override {
    const auto found = ids_.find(std::string(token));
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
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

  [[noreturn]] void fail(std::string_view what) const {
    throw error(error_code::invalid_input, source_,
                std::string(what) + "; the tokenizer files are damaged or don't belong together");
  }

  void check_id(token_id id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= entries_.size())
      throw error(error_code::invalid_input, source_,
                  "token id " + std::to_string(id) + " is outside the vocabulary of " +
                      std::to_string(entries_.size()) + "; use ids of this model's tokenizer");
  }

  entry& entry_at(token_id id, std::string_view token) {
    if (id < 0 || id > largest_id)
      fail("token '" + io::printable(token) + "' has the impossible id " + std::to_string(id));
    const auto index = static_cast<std::size_t>(id);
    if (index >= entries_.size()) entries_.resize(index + 1);
    return entries_[index];
  }

  void add_tokens(const std::vector<std::pair<std::string, token_id>>& tokens) {
    ids_.reserve(tokens.size());
    entries_.reserve(tokens.size());
    for (const auto& [token, id] : tokens) {
      entry& e = entry_at(id, token);
      if (e.present)
        fail("token id " + std::to_string(id) + " is there twice, once as '" + io::printable(token) + "'");
      if (!ids_.emplace(token, id).second) fail("token '" + io::printable(token) + "' is there twice");
      e = {bytes_of_token(token), true, false};
    }
  }

  void add_special(std::vector<special_token> special) {
    for (const special_token& token : special) {
      entry& e = entry_at(token.id, token.text);
      e = {token.text, true, token.control};
      ids_.insert_or_assign(token.text, token.id);
    }
    // Both kinds in the order of the file. Without a normaliser the second kind could join the first but for
    // one thing: it is looked for only where the first left text.
    std::vector<special_token> raw, normalized;
    for (special_token& token : special) {
      if (token.normalized) {
        if (!normalize_.empty()) token.text = normalize_(token.text);
        normalized.push_back(std::move(token));
      } else {
        raw.push_back(std::move(token));
      }
    }
    special_ = special_tokens(std::move(raw));
    normalized_special_ = special_tokens(std::move(normalized));
  }

  void add_merges(const std::vector<std::pair<std::string, std::string>>& merges) {
    if (merges.size() >= std::numeric_limits<std::uint32_t>::max()) fail("there are too many merges");
    merges_.reserve(merges.size());
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const auto id_of = [&](const std::string& token) {
        const auto found = ids_.find(token);
        if (found == ids_.end())
          fail("merge " + std::to_string(rank) + " names '" + io::printable(token) +
               "', which isn't in the vocabulary");
        return found->second;
      };
      const auto& [left, right] = merges[rank];
      const token_id left_id = id_of(left),
                     right_id = id_of(right);  // in this order, so that messages name the first
      merges_.add(left_id, right_id, id_of(left + right));
    }
  }

  /// Scratch memory of one call.
  struct piece_buffers {
    std::string spaced;
    std::vector<std::string_view> pieces;
    std::vector<token_id> ids;
    merge_table::workspace merging;
  };

  /// Text without special tokens.
  void encode_stretch(std::string_view stretch, piece_buffers& buffers, std::vector<token_id>& ids) const {
    if (prefix_space_ && stretch.front() != ' ') stretch = buffers.spaced = " " + std::string(stretch);
    buffers.pieces.clear();
    pre_.split(stretch, buffers.pieces);
    for (const std::string_view piece : buffers.pieces)
      encode_piece(piece, buffers.ids, buffers.merging, ids);
  }

  void encode_piece(std::string_view piece, std::vector<token_id>& piece_ids, merge_table::workspace& scratch,
                    std::vector<token_id>& ids) const {
    if (whole_pieces_) {
      std::string spelled;
      for (const char c : piece)
        spelled += character_of_byte(static_cast<unsigned char>(c));
      if (const auto found = ids_.find(spelled); found != ids_.end()) {
        ids.push_back(found->second);
        return;
      }
    }
    piece_ids.clear();
    bool after_unknown = false;
    for (const char c : piece) {
      token_id id = byte_ids_[static_cast<unsigned char>(c)];
      const bool is_unknown = id == absent;
      if (is_unknown) {
        if (!unknown_ || (fuse_unknown_ && after_unknown)) continue;
        id = *unknown_;
      }
      after_unknown = is_unknown;
      piece_ids.push_back(id);
    }
    merges_.apply(piece_ids, scratch);
    ids.insert(ids.end(), piece_ids.begin(), piece_ids.end());
  }

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
