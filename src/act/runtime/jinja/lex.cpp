#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/jinja/lex.hpp>
#include <act/runtime/jinja/white_space.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

void error_place::refuse(std::size_t line, const std::string& what) const {
  throw error(error_code::invalid_input, source + ": chat template, line " + std::to_string(line),
              what + "; " + mend);
}

void error_place::unsupported(std::size_t line, const std::string& what) const {
  throw error(error_code::unsupported, source + ": chat template, line " + std::to_string(line),
              what + "; " + mend);
}

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool begins_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Line ends as \n, and the last one gone.
std::string with_plain_lines(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r') {
      plain += '\n';
      if (at + 1 < text.size() && text[at + 1] == '\n') ++at;
    } else {
      plain += text[at];
    }
  }
  if (plain.ends_with('\n')) plain.pop_back();
  return plain;
}

class lexer {
 public:
  lexer(std::string_view text, const error_place& place) : text_(with_plain_lines(text)), place_(place) {}

  std::vector<word> words() {
    while (at_ < text_.size()) {
      const std::size_t tag = next_tag();
      std::string_view before = rest().substr(0, tag - at_);
      if (tag == text_.size()) {
        add_text(before);
        at_ = tag;
        break;
      }
      const char kind = text_[tag + 1];
      const char sign =
          tag + 2 < text_.size() && (text_[tag + 2] == '-' || text_[tag + 2] == '+') ? text_[tag + 2] : '\0';
      before.remove_suffix(taken_before(before, kind, sign));
      add_text(before);
      move_to(tag + 2 + (sign == '\0' ? 0 : 1));
      if (kind == '#') {
        pass_comment();
      } else if (kind == '%' && begins_raw()) {
        take_raw();
      } else {
        take_tag(kind);
      }
    }
    add(word_kind::end, {});
    return std::move(words_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return std::string_view(text_).substr(at_); }

  // Position of the next {{, {% or {#; the text's end where there is none.
  [[nodiscard]] std::size_t next_tag() const {
    for (std::size_t at = text_.find('{', at_); at != std::string::npos && at + 1 < text_.size();
         at = text_.find('{', at + 1)) {
      if (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#') return at;
    }
    return text_.size();
  }

  // Bytes of white space that a tag takes from the text before it.
  [[nodiscard]] std::size_t taken_before(std::string_view before, char kind, char sign) const {
    if (sign == '-') return white_space_behind(before);
    if (sign == '+' || kind == '{') return 0;
    const std::size_t line = before.rfind('\n') + 1;  // 0 where there is none
    if (line == 0 && !at_line_start_) return 0;
    return before.find_first_not_of(" \t", line) == std::string_view::npos ? before.size() - line : 0;
  }

  void move_to(std::size_t to) {
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                                 text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  void add(word_kind what, std::string text) { words_.push_back({what, std::move(text), line_}); }
  void add_text(std::string_view text) {
    if (!text.empty()) add(word_kind::text, std::string(text));
  }

  // Passes the closing bracket of a tag at `close`, two bytes, and the white space that it takes.
  void pass_end(std::size_t close, bool trims) {
    const char sign = close > at_ ? text_[close - 1] : '\0';
    std::size_t to = close + 2;
    if (sign == '-') {
      to += white_space_before(std::string_view(text_).substr(to));
    } else if (trims && sign != '+' && to < text_.size() && text_[to] == '\n') {
      ++to;
    }
    at_line_start_ = text_[to - 1] == '\n';
    move_to(to);
  }

  void pass_comment() {
    const std::size_t close = text_.find("#}", at_);
    if (close == std::string::npos) place_.refuse(line_, "a comment isn't closed");
    pass_end(close, true);
  }

  [[nodiscard]] bool begins_raw() const {
    std::string_view inner = rest();
    inner.remove_prefix(white_space_before(inner));
    if (!inner.starts_with("raw")) return false;
    inner.remove_prefix(3);
    inner.remove_prefix(white_space_before(inner));
    return inner.starts_with("%}") || inner.starts_with("-%}");
  }

  void take_raw() {
    const std::size_t opened = line_;
    pass_end(text_.find("%}", at_), false);
    for (std::size_t at = text_.find("{%", at_); at != std::string::npos; at = text_.find("{%", at + 1)) {
      std::string_view inner = std::string_view(text_).substr(at + 2);
      const char sign = inner.starts_with('-') || inner.starts_with('+') ? inner[0] : '\0';
      if (sign != '\0') inner.remove_prefix(1);
      inner.remove_prefix(white_space_before(inner));
      if (!inner.starts_with("endraw")) continue;
      inner.remove_prefix(6);
      inner.remove_prefix(white_space_before(inner));
      if (!inner.starts_with("%}") && !inner.starts_with("-%}") && !inner.starts_with("+%}")) continue;
      std::string_view kept = rest().substr(0, at - at_);
      kept.remove_suffix(taken_before(kept, '%', sign));
      add_text(kept);
      move_to(at + 2);
      pass_end(text_.find("%}", at_), true);
      return;
    }
    place_.refuse(opened, "'raw' isn't closed");
  }

  void take_tag(char kind) {
    const bool prints = kind == '{';
    const std::size_t opened = line_;
    const std::string close = prints ? "}}" : "%}";
    add(prints ? word_kind::print_begin : word_kind::tag_begin, {});
    std::string open;  // brackets that wait for their other half
    while (true) {
      move_to(at_ + white_space_before(rest()));
      if (at_ == text_.size()) place_.refuse(opened, "a tag isn't closed");
      if (open.empty()) {
        const bool signed_end = (rest().starts_with('-') || (rest().starts_with('+') && !prints)) &&
                                rest().substr(1).starts_with(close);
        if (signed_end || rest().starts_with(close)) {
          add(prints ? word_kind::print_end : word_kind::tag_end, {});
          pass_end(at_ + (signed_end ? 1 : 0), !prints);
          return;
        }
      }
      take_word(open);
    }
  }

  void take_word(std::string& open) {
    const char c = text_[at_];
    if (begins_name(c)) {
      std::size_t end = at_;
      while (end < text_.size() && (begins_name(text_[end]) || is_digit(text_[end])))
        ++end;
      add(word_kind::name, text_.substr(at_, end - at_));
      at_ = end;
    } else if (is_digit(c)) {
      take_number();
    } else if (c == '\'' || c == '"') {
      take_string(c);
    } else {
      take_sign(open);
    }
  }

  void take_number() {
    std::size_t end = at_;
    const auto digits = [&] {
      while (end < text_.size() && (is_digit(text_[end]) || (text_[end] == '_' && end + 1 < text_.size() &&
                                                             is_digit(text_[end + 1]))))
        ++end;
    };
    digits();
    bool real = false;
    const bool behind_dot = at_ > 0 && text_[at_ - 1] == '.';  // messages.0.role
    if (!behind_dot && end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) {
      ++end;
      digits();
      real = true;
    }
    if (!behind_dot && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const std::size_t exponent =
          end + 1 + (end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-') ? 1 : 0);
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        end = exponent;
        digits();
        real = true;
      }
    }
    std::string number = text_.substr(at_, end - at_);
    std::erase(number, '_');
    if (end < text_.size() && begins_name(text_[end]))
      place_.unsupported(line_, "a number such as '" + number + text_[end] + "...' isn't known");
    if (!real && number.size() > 1 && number.find_first_not_of('0') != std::string::npos && number[0] == '0')
      place_.refuse(line_, "'" + number + "' isn't a number");
    if (number.size() > 40) place_.refuse(line_, "a number is too long");
    add(real ? word_kind::real : word_kind::integer, std::move(number));
    at_ = end;
  }

  void take_string(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote)
      end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) place_.refuse(line_, "a text in quotes isn't closed");
    const std::string_view quoted = std::string_view(text_).substr(at_ + 1, end - at_ - 1);
    add(word_kind::string, unescaped(quoted));
    move_to(end + 1);
  }

  // As Python's escapes of texts.
  [[nodiscard]] std::string unescaped(std::string_view quoted) const {
    std::string text;
    for (std::size_t at = 0; at < quoted.size(); ++at) {
      if (quoted[at] != '\\') {
        text += quoted[at];
        continue;
      }
      constexpr std::string_view spelt = "nrtabfv\\'\"", stands_for = "\n\r\t\a\b\f\v\\'\"";
      const char c = quoted[++at];  // the lexer has seen to it that there is one
      if (const std::size_t which = spelt.find(c); which != std::string_view::npos) {
        text += stands_for[which];
      } else if (c == '\n') {
        // a line that goes on
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const std::size_t size = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        const std::string_view digits = quoted.substr(at + 1, size);
        if (digits.size() < size ||
            digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
          place_.refuse(line_, "an escape of a text isn't complete");
        const auto code = static_cast<char32_t>(std::stoul(std::string(digits), nullptr, 16));
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
          place_.refuse(line_, "an escape of a text stands for no character");
        io::append_utf8(text, code);
        at += size;
      } else if (is_digit(c) || c == 'N') {
        place_.unsupported(line_, std::string("the escape '\\") + c + "' isn't known");
      } else {
        text += '\\';
        text += c;
      }
    }
    return text;
  }

  void take_sign(std::string& open) {
    static constexpr std::array<std::string_view, 26> signs{"**", "//", "==", "!=", ">=", "<=", "+", "-", "*",
                                                            "/",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                            ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    const auto* const found = std::find_if(signs.begin(), signs.end(),
                                           [&](std::string_view sign) { return rest().starts_with(sign); });
    if (found == signs.end()) {
      place_.refuse(
          line_, "'" +
                     io::printable(rest().substr(0, std::max<std::size_t>(io::utf8_length(text_, at_), 1))) +
                     "' can't stand in a tag");
    }
    constexpr std::string_view opening = "([{", closing = ")]}";
    if (opening.find(*found) != std::string_view::npos) open += *found;
    if (const std::size_t which = closing.find(*found); which != std::string_view::npos) {
      if (open.empty() || opening.find(open.back()) != which)
        place_.refuse(line_, "'" + std::string(*found) + "' closes nothing");
      open.pop_back();
    }
    add(word_kind::sign, std::string(*found));
    at_ += found->size();
  }

  std::string text_;
  const error_place& place_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  bool at_line_start_ = true;
  std::vector<word> words_;
};

}  // namespace

std::vector<word> lex(std::string_view text, const error_place& place) {
  constexpr std::size_t longest = std::size_t{512} << 10;
  if (text.size() > longest) place.refuse(1, "is longer than 512 KiB");
  if (io::find_invalid_utf8(text) != std::string_view::npos) place.refuse(1, "isn't UTF-8");
  return lexer(text, place).words();
}

}  // namespace act::runtime::jinja
