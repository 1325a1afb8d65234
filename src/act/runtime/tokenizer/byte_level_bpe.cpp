#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/byte_alphabet.hpp>
#include <act/runtime/tokenizer/byte_level_bpe.hpp>
#include <act/runtime/tokenizer/merge_table.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

byte_level_bpe::byte_level_bpe(byte_level_bpe_parts parts)
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
  end_with(eos_, std::move(parts.ends));
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

std::vector<token_id> byte_level_bpe::encode(std::string_view text, special_tokens_in_text written,
                                             bool add_special) const {
  if (const std::size_t bad = io::find_invalid_utf8(text); bad != std::string_view::npos)
    refuse_invalid_utf8(bad);
  std::vector<token_id> ids;
  if (add_special) ids = before_;
  std::vector<special_tokens::part> raw, parts;
  special_.split(text, written, raw);
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
    normalized_special_.split(plain, written, parts);
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

std::string byte_level_bpe::decode(std::span<const token_id> ids, bool skip_special) const {
  std::string text;
  for (const token_id id : ids) {
    check_id(id);
    const entry& e = entries_[static_cast<std::size_t>(id)];
    if (!(skip_special && e.control)) text += e.bytes;
  }
  return text;
}

std::optional<token_id> byte_level_bpe::find(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void byte_level_bpe::fail(std::string_view what) const {
  throw error(error_code::invalid_input, source_,
              std::string(what) + "; the tokenizer files are damaged or don't belong together");
}

void byte_level_bpe::check_id(token_id id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= entries_.size()) refuse_token(source_, id, vocabulary_size());
}

byte_level_bpe::entry& byte_level_bpe::entry_at(token_id id, std::string_view token) {
  if (id < 0 || id > largest_id)
    fail("token '" + io::printable(token) + "' has the impossible id " + std::to_string(id));
  const auto index = static_cast<std::size_t>(id);
  if (index >= entries_.size()) entries_.resize(index + 1);
  return entries_[index];
}

void byte_level_bpe::add_tokens(const std::vector<std::pair<std::string, token_id>>& tokens) {
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

void byte_level_bpe::add_special(std::vector<special_token> special) {
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

void byte_level_bpe::add_merges(const std::vector<std::pair<std::string, std::string>>& merges) {
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

void byte_level_bpe::encode_stretch(std::string_view stretch, piece_buffers& buffers,
                                    std::vector<token_id>& ids) const {
  if (prefix_space_ && stretch.front() != ' ') stretch = buffers.spaced = " " + std::string(stretch);
  buffers.pieces.clear();
  pre_.split(stretch, buffers.pieces);
  for (const std::string_view piece : buffers.pieces)
    encode_piece(piece, buffers.ids, buffers.merging, ids);
}

void byte_level_bpe::encode_piece(std::string_view piece, std::vector<token_id>& piece_ids,
                                  merge_table::workspace& scratch, std::vector<token_id>& ids) const {
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

}  // namespace act::runtime
