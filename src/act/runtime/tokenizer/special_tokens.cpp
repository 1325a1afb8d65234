#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

bool is_white_space(char32_t c) noexcept {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

std::size_t start_of_last(std::string_view text) noexcept {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80)
    --at;
  return at;
}

char32_t last(std::string_view text) noexcept {
  const std::size_t at = start_of_last(text);
  return io::utf8_code_point(text, at, text.size() - at);
}

std::size_t white_space_at_end(std::string_view text) noexcept {
  const std::size_t whole = text.size();
  while (!text.empty() && is_white_space(last(text)))
    text = text.substr(0, start_of_last(text));
  return whole - text.size();
}

std::size_t white_space_at_start(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = io::utf8_length(text, at);
    if (!is_white_space(io::utf8_code_point(text, at, length))) break;
    at += length;
  }
  return at;
}

}  // namespace

special_tokens::special_tokens(std::vector<special_token> tokens) : tokens_(std::move(tokens)) {
  nodes_.emplace_back();
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    insert(tokens_[i].text, i);
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
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<found> hit = longest_at(text, at);
    if (!hit) {
      ++at;
      continue;
    }
    const special_token& token = tokens_[hit->token];
    std::size_t begin = at;
    std::size_t end = at + hit->length;
    at = end;  // the search goes on behind the token whether it counts or not
    if (token.control && written == special_tokens_in_text::are_text) continue;
    if (token.single_word && touches_word(text.substr(0, begin), text.substr(end))) continue;
    if (token.lstrip) begin = std::max(begun, begin - white_space_at_end(text.substr(0, begin)));
    if (token.rstrip) end += white_space_at_start(text.substr(end));
    if (begin > begun) parts.push_back({text.substr(begun, begin - begun), nullptr});
    parts.push_back({text.substr(begin, end - begin), &token});
    begun = end;
    at = std::max(at, end);
  }
  if (begun < text.size()) parts.push_back({text.substr(begun), nullptr});
}

std::size_t special_tokens::follow(std::size_t from, unsigned char byte) const {
  const auto& next = nodes_[from].next;
  const auto at = std::lower_bound(next.begin(), next.end(), byte,
                                   [](const auto& edge, unsigned char b) { return edge.first < b; });
  return at != next.end() && at->first == byte ? at->second : none;
}

void special_tokens::insert(std::string_view text, std::size_t token) {
  if (text.empty()) return;
  std::size_t at = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::size_t to = follow(at, byte);
    if (to == none) {
      to = nodes_.size();
      auto& next = nodes_[at].next;
      next.insert(std::lower_bound(next.begin(), next.end(), std::pair{byte, std::size_t{0}}), {byte, to});
      nodes_.emplace_back();
    }
    at = to;
  }
  nodes_[at].token = token;
}

std::optional<special_tokens::found> special_tokens::longest_at(std::string_view text,
                                                                std::size_t from) const {
  if (nodes_.empty()) return std::nullopt;
  std::optional<found> longest;
  std::size_t at = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    at = follow(at, static_cast<unsigned char>(text[i]));
    if (at == none) break;
    if (nodes_[at].token != none) longest = found{nodes_[at].token, i + 1 - from};
  }
  return longest;
}

bool special_tokens::touches_word(std::string_view before, std::string_view after) const {
  regular_expression::matcher matcher(*word_);
  return (!before.empty() && matcher.find(before.substr(start_of_last(before)), 0)) ||
         (!after.empty() && matcher.find(after.substr(0, io::utf8_length(after, 0)), 0));
}

}  // namespace act::runtime
