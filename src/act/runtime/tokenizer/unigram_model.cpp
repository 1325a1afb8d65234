#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/byte_trie.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/unigram_model.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace act::runtime {

unigram_model::unigram_model(const vocabulary::list& tokens, const unigram_settings& settings,
                             const std::string& source, const std::unordered_set<token_id>& control)
    : source_(source), tokens_(tokens, source), scores_(settings.scores), unknown_(settings.unknown) {
  constexpr std::size_t longest = 1024;
  constexpr double unknown_penalty = 10;  // SentencePiece's
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto& [token, id] = tokens[i];
    if (token.size() > longest)
      throw error(error_code::unsupported, source,
                  "token " + std::to_string(id) + " has " + std::to_string(token.size()) +
                      " bytes, more than act's " + std::to_string(longest));
    if (!token.empty() && !control.contains(id)) trie_.insert(token, i);
    ids_.push_back(id);
    lowest = std::min(lowest, scores_[i]);
  }
  unknown_score_ = lowest - unknown_penalty;
  if (settings.byte_fallback) bytes_ = tokens_.bytes();
}

void unigram_model::encode(std::string_view piece, workspace& scratch, std::vector<token_id>& ids) const {
  auto& ends = scratch.ends;
  ends.assign(piece.size() + 1, {});
  // Among equals the one that was there first stays: the one that begins first.
  const auto offer = [&](std::size_t begin, std::size_t end, double score, token_id id, bool unknown) {
    const double sum = ends[begin].score + score;
    if (!ends[end].reached || sum > ends[end].score) ends[end] = {sum, begin, id, true, unknown};
  };
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t length = std::max<std::size_t>(io::utf8_length(piece, at), 1);
    bool known = false;
    trie_.each_at(piece, at, [&](const byte_trie::match& token) {
      const token_id id = ids_[token.value];
      offer(at, at + token.length, scores_[token.value], id, unknown_ == id);
      known = known || token.length == length;
    });
    if (!known) {
      if (!unknown_)
        throw error(error_code::invalid_input, "text",
                    "has the character '" + io::printable(piece.substr(at, length)) +
                        "', which the vocabulary of " + source_ + " lacks, and there is no unknown token");
      offer(at, at + length, unknown_score_, *unknown_, true);
    }
    at += length;
  }
  scratch.path.clear();
  for (std::size_t end = piece.size(); end > 0; end = ends[end].begun)
    scratch.path.push_back(ends[end]);
  // From the last to the first: each one's end is where the one after it begins.
  for (std::size_t i = scratch.path.size(); i-- > 0;) {
    const std::size_t begin = scratch.path[i].begun;
    if (!scratch.path[i].unknown) {
      ids.push_back(scratch.path[i].id);
      continue;
    }
    while (i > 0 && scratch.path[i - 1].unknown)
      --i;
    const std::size_t end = i == 0 ? piece.size() : scratch.path[i - 1].begun;
    put_unknown(piece.substr(begin, end - begin), ids);
  }
}

void unigram_model::put_unknown(std::string_view text, std::vector<token_id>& ids) const {
  const auto id_of = [&](char byte) { return (*bytes_)[static_cast<unsigned char>(byte)]; };
  if (bytes_ && std::all_of(text.begin(), text.end(), id_of)) {
    for (const char byte : text)
      ids.push_back(*id_of(byte));
    return;
  }
  ids.push_back(*unknown_);
}

}  // namespace act::runtime
