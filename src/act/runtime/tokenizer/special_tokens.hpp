// Tokens that are matched as whole strings before anything else is cut: control tokens ("<|im_start|>") and
// tokens added to a vocabulary after it was trained. For the tokenizers of this folder. The longest of the
// leftmost wins, as in the Python package `tokenizers`.
#pragma once

#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

/// One such token and how it is matched.
struct special_token {
  std::string text;
  token_id id = 0;
  bool control = true;       ///< left out by decode(..., skip_special)
  bool normalized = false;   ///< looked for in the normalised text rather than the raw one
  bool single_word = false;  ///< only where no letter, number or underscore touches it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
};

/// Finds them in a text. Immutable in use.
class special_tokens {
 public:
  /// A stretch of text: one special token, or text without any.
  struct part {
    std::string_view text;
    const special_token* token = nullptr;
  };

  special_tokens() = default;
  /// Tokens with an empty text are left out: they would match everywhere. Of two with the same text the later
  /// one counts.
  explicit special_tokens(std::vector<special_token> tokens) : tokens_(std::move(tokens)) {
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

  [[nodiscard]] const std::vector<special_token>& all() const noexcept { return tokens_; }

  /// Appends the parts of `text` (valid UTF-8, outlives them) in order; none is empty but a token's own.
  /// Cost: O(text x longest token) in the worst case, O(text) where tokens begin with rare characters.
  void split(std::string_view text, std::vector<part>& parts) const {
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

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  struct node {
    std::size_t token = none;
    std::vector<std::pair<unsigned char, std::size_t>> next;  // sorted by byte
  };
  struct found {
    std::size_t token, length;
  };

  [[nodiscard]] std::size_t follow(std::size_t from, unsigned char byte) const {
    const auto& next = nodes_[from].next;
    const auto at = std::lower_bound(next.begin(), next.end(), byte,
                                     [](const auto& edge, unsigned char b) { return edge.first < b; });
    return at != next.end() && at->first == byte ? at->second : none;
  }

  void insert(std::string_view text, std::size_t token) {
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

  [[nodiscard]] std::optional<found> longest_at(std::string_view text, std::size_t from) const {
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

  static bool is_white_space(char32_t c) noexcept {
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
  }
  static std::size_t start_of_last(std::string_view text) noexcept {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80)
      --at;
    return at;
  }
  static char32_t last(std::string_view text) noexcept {
    const std::size_t at = start_of_last(text);
    return io::utf8_code_point(text, at, text.size() - at);
  }
  [[nodiscard]] bool touches_word(std::string_view before, std::string_view after) const {
    regular_expression::matcher matcher(*word_);
    return (!before.empty() && matcher.find(before.substr(start_of_last(before)), 0)) ||
           (!after.empty() && matcher.find(after.substr(0, io::utf8_length(after, 0)), 0));
  }
  static std::size_t white_space_at_end(std::string_view text) noexcept {
    const std::size_t whole = text.size();
    while (!text.empty() && is_white_space(last(text)))
      text = text.substr(0, start_of_last(text));
    return whole - text.size();
  }
  static std::size_t white_space_at_start(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t length = io::utf8_length(text, at);
      if (!is_white_space(io::utf8_code_point(text, at, length))) break;
      at += length;
    }
    return at;
  }

  std::vector<special_token> tokens_;
  std::vector<node> nodes_;
  std::optional<regular_expression> word_;  // only where a token asks
};

}  // namespace act::runtime
