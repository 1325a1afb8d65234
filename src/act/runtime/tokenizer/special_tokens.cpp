#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/white_space.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
special_tokens::special_tokens(std::vector<special_token> tokens) : tokens_(std::move(tokens)) {
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    if (!tokens_[i].text.empty()) trie_.insert(tokens_[i].text, i);
  // Unicode's word characters: Alphabetic, marks, decimal numbers, connectors, join controls.
  if (std::any_of(tokens_.begin(), tokens_.end(), [](const special_token& t) { return t.single_word; }))
    word_.emplace(
        R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-)"
        R"(\x{1f169}\x{1f170}-\x{1f189}])",
        "the word pattern");
}

void special_tokens::split(std::string_view text, special_tokens_in_text written,
                           std::vector<part>& parts) const {
  std::size_t begun = 0;
  std::size_t blank_until = 0;  // what the last `rstrip` looked at: white space is walked over once
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<byte_trie::match> hit = trie_.longest_at(text, at);
    if (!hit) {
      ++at;
      continue;
    }
    const special_token& token = tokens_[hit->value];
    std::size_t begin = at;
    std::size_t end = at + hit->length;
    at = end;  // the search goes on behind the token whether it counts or not, as the reference's does: a
               // token of white space is found in what `rstrip` took, too
    if (token.control && written == special_tokens_in_text::are_text) continue;
    if (token.single_word && touches_word(text.substr(0, begin), text.substr(end))) continue;
    if (token.lstrip) {
      const std::size_t from = std::min(begun, begin);
      begin = std::max(std::min(begun, end), begin - white_space_at_end(text.substr(from, begin - from)));
    }
    if (token.rstrip) {
      if (end >= blank_until) blank_until = end + white_space_at_start(text.substr(end));
      end = blank_until;
    }
    if (begin > begun) parts.push_back({text.substr(begun, begin - begun), nullptr});
    parts.push_back({text.substr(begin, end - begin), &token});
    begun = end;
  }
  if (begun < text.size()) parts.push_back({text.substr(begun), nullptr});
}

bool special_tokens::touches_word(std::string_view before, std::string_view after) const {
  regular_expression::matcher matcher(*word_);
  return (!before.empty() && matcher.find(before.substr(start_of_last_character(before)), 0)) ||
         (!after.empty() && matcher.find(after.substr(0, io::utf8_length(after, 0)), 0));
}

}  // namespace act::runtime
