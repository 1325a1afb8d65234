#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/merge_table.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace act::runtime {

bpe_model::bpe_model(const vocabulary::list& tokens, const bpe_settings& settings, const std::string& source,
                     std::unordered_set<token_id> control)
    : tokens_(tokens, source),
      unknown_(settings.unknown),
      fuse_unknown_(settings.fuse_unknown),
      whole_pieces_(settings.whole_pieces),
      control_(std::move(control)) {
  add_merges(settings.merges, source);
  for (char32_t c = 0; c < frequent_.size(); ++c) {
    std::string character;
    io::append_utf8(character, c);
    frequent_[c] = tokens_.find(character);
  }
  if (settings.byte_fallback) bytes_ = tokens_.bytes();
}

void bpe_model::add_merges(const std::vector<std::pair<std::string, std::string>>& merges,
                           const std::string& source) {
  const auto fail = [&](const std::string& what) {
    return error(error_code::invalid_input, source,
                 what + "; the tokenizer files are damaged or don't belong together");
  };
  if (merges.size() >= std::numeric_limits<std::uint32_t>::max()) throw fail("there are too many merges");
  merges_.reserve(merges.size());
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto id_of = [&](const std::string& token) {
      const std::optional<token_id> id = tokens_.find(token);
      if (!id)
        throw fail("merge " + std::to_string(rank) + " names '" + io::printable(token) +
                   "', which isn't in the vocabulary");
      return *id;
    };
    const auto& [left, right] = merges[rank];
    const token_id left_id = id_of(left),
                   right_id = id_of(right);  // in this order, so that messages name the first
    const token_id merged = id_of(left + right);
    if (!control_.contains(merged)) merges_.add(left_id, right_id, merged);
  }
}

void bpe_model::encode(std::string_view piece, workspace& scratch, std::vector<token_id>& ids) const {
  if (whole_pieces_) {
    if (const std::optional<token_id> whole = tokens_.find(piece); whole && !control_.contains(*whole)) {
      ids.push_back(*whole);
      return;
    }
  }
  scratch.ids.clear();
  // The reference holds an unknown token back until it knows whether the next one joins it: a character that
  // falls back to bytes in between comes before it.
  bool unknown_held = false;
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t length = std::max<std::size_t>(io::utf8_length(piece, at), 1);
    const std::string_view character = piece.substr(at, length);
    at += length;
    if (const std::optional<token_id> id = token_of(character)) {
      if (std::exchange(unknown_held, false)) scratch.ids.push_back(*unknown_);
      scratch.ids.push_back(*id);
    } else if (!fall_back(character, scratch.ids) && unknown_) {
      if (unknown_held && !fuse_unknown_) scratch.ids.push_back(*unknown_);
      unknown_held = true;
    }
  }
  if (unknown_held) scratch.ids.push_back(*unknown_);
  merges_.apply(scratch.ids, scratch.merging);
  ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

std::optional<token_id> bpe_model::token_of(std::string_view character) const {
  const char32_t c = io::utf8_code_point(character, 0, character.size());
  return c < frequent_.size() ? frequent_[c] : tokens_.find(character);
}

bool bpe_model::fall_back(std::string_view character, std::vector<token_id>& ids) const {
  if (!bytes_) return false;
  const auto id_of = [&](char byte) { return (*bytes_)[static_cast<unsigned char>(byte)]; };
  if (!std::all_of(character.begin(), character.end(), id_of)) return false;
  for (const char byte : character)
    ids.push_back(*id_of(byte));
  return true;
}

}  // namespace act::runtime
