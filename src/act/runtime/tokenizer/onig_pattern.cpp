#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/onig_pattern.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {
namespace {

// What Unicode 15 and 16 added to the classes of Unicode 14, which PCRE2 10.42 has. A newer PCRE2 matches
// these twice, which changes nothing. Found by comparing all code points with `tokenizers` 0.23
// (tests/golden/tokenizer).
constexpr std::string_view new_upper = R"(\x{1c89}\x{a7cb}-\x{a7cc}\x{a7da}\x{a7dc}\x{10d50}-\x{10d65})";
constexpr std::string_view new_lower = R"(\x{1c8a}\x{a7cd}\x{a7db}\x{10d70}-\x{10d85}\x{1df25}-\x{1df2a})";
constexpr std::string_view new_modifier =
    R"(\x{10d4e}\x{10d6f}\x{16d40}-\x{16d42}\x{16d6b}-\x{16d6c}\x{1e030}-\x{1e06d}\x{1e4eb})";
constexpr std::string_view new_other_letter =
    R"(\x{105c0}-\x{105f3}\x{10d4a}-\x{10d4d}\x{10d4f}\x{10ec2}-\x{10ec4}\x{1123f}-\x{11240}\x{11380}-\x{11389}\x{1138b})"
    R"(\x{1138e}\x{11390}-\x{113b5}\x{113b7}\x{113d1}\x{113d3}\x{11bc0}-\x{11be0}\x{11f02}\x{11f04}-\x{11f10}\x{11f12}-\x{11f33})"
    R"(\x{1342f}\x{13441}-\x{13446}\x{13460}-\x{143fa}\x{16100}-\x{1611d}\x{16d43}-\x{16d6a}\x{18cff}\x{1b132}\x{1b155})"
    R"(\x{1e4d0}-\x{1e4ea}\x{1e5d0}-\x{1e5ed}\x{1e5f0}\x{2b739}\x{2ebf0}-\x{2ee5d}\x{31350}-\x{323af})";
constexpr std::string_view new_digit =
    R"(\x{10d40}-\x{10d49}\x{116d0}-\x{116e3}\x{11bf0}-\x{11bf9}\x{11f50}-\x{11f59}\x{16130}-\x{16139}\x{16d70}-\x{16d79})"
    R"(\x{1ccf0}-\x{1ccf9}\x{1e4f0}-\x{1e4f9}\x{1e5f1}-\x{1e5fa})";
constexpr std::string_view new_other_number = R"(\x{1d2c0}-\x{1d2d3})";
constexpr std::string_view new_mark =
    R"(\x{897}\x{cf3}\x{ece}\x{10d69}-\x{10d6d}\x{10efc}-\x{10eff}\x{11241}\x{113b8}-\x{113c0}\x{113c2}\x{113c5})"
    R"(\x{113c7}-\x{113ca}\x{113cc}-\x{113d0}\x{113d2}\x{113e1}-\x{113e2}\x{11f00}-\x{11f01}\x{11f03}\x{11f34}-\x{11f3a})"
    R"(\x{11f3e}-\x{11f42}\x{11f5a}\x{13440}\x{13447}-\x{13455}\x{1611e}-\x{1612f}\x{1e08f}\x{1e4ec}-\x{1e4ef}\x{1e5ee}-\x{1e5ef})";
constexpr std::string_view new_other_punctuation =
    R"(\x{1b4e}-\x{1b4f}\x{1b7f}\x{113d4}-\x{113d5}\x{113d7}-\x{113d8}\x{11b00}-\x{11b09}\x{11be1}\x{11f43}-\x{11f4f})"
    R"(\x{16d6d}-\x{16d6f}\x{1e5ff})";
constexpr std::string_view new_dash = R"(\x{10d6e})";
constexpr std::string_view new_sign = R"(\x{10d8e}-\x{10d8f})";
constexpr std::string_view new_other_symbol =
    R"(\x{2427}-\x{2429}\x{2ffc}-\x{2fff}\x{31e4}-\x{31e5}\x{31ef}\x{1cc00}-\x{1ccef}\x{1cd00}-\x{1ceb3}\x{1f6dc})"
    R"(\x{1f774}-\x{1f776}\x{1f77b}-\x{1f77f}\x{1f7d9}\x{1f8b2}-\x{1f8bb}\x{1f8c0}-\x{1f8c1}\x{1fa75}-\x{1fa77}\x{1fa87}-\x{1fa89})"
    R"(\x{1fa8f}\x{1faad}-\x{1faaf}\x{1fabb}-\x{1fabf}\x{1fac6}\x{1face}-\x{1facf}\x{1fada}-\x{1fadc}\x{1fadf})"
    R"(\x{1fae8}-\x{1fae9}\x{1faf7}-\x{1faf8}\x{1fbcb}-\x{1fbef})";

// A property's characters, as the inside of a class: PCRE2's and what is new in them.
struct property {
  std::string_view name;
  std::array<std::string_view, 5> parts;
};
constexpr std::array properties{
    property{"L", {R"(\p{L})", new_upper, new_lower, new_modifier, new_other_letter}},
    property{"Lu", {R"(\p{Lu})", new_upper}},
    property{"Ll", {R"(\p{Ll})", new_lower}},
    property{"Lt", {R"(\p{Lt})"}},
    property{"Lm", {R"(\p{Lm})", new_modifier}},
    property{"Lo", {R"(\p{Lo})", new_other_letter}},
    property{"M", {R"(\p{M})", new_mark}},
    property{"N", {R"(\p{N})", new_digit, new_other_number}},
    property{"Nd", {R"(\p{Nd})", new_digit}},
    property{"Nl", {R"(\p{Nl})"}},
    property{"No", {R"(\p{No})", new_other_number}},
    property{"P", {R"(\p{P})", new_other_punctuation, new_dash}},
    property{"Pc", {R"(\p{Pc})"}},
    property{"Pd", {R"(\p{Pd})", new_dash}},
    property{"Ps", {R"(\p{Ps})"}},
    property{"Pe", {R"(\p{Pe})"}},
    property{"Pi", {R"(\p{Pi})"}},
    property{"Pf", {R"(\p{Pf})"}},
    property{"Po", {R"(\p{Po})", new_other_punctuation}},
    property{"S", {R"(\p{S})", new_sign, new_other_symbol}},
    property{"Sm", {R"(\p{Sm})", new_sign}},
    property{"Sc", {R"(\p{Sc})"}},
    property{"Sk", {R"(\p{Sk})"}},
    property{"So", {R"(\p{So})", new_other_symbol}},
    property{"Z", {R"(\p{Z})"}},
    property{"Zs", {R"(\p{Zs})"}},
    property{"Cc", {R"(\p{Cc})"}},
};

// Unicode's White_Space. PCRE2's \s also has U+180E, which left it in Unicode 6.3.
constexpr std::string_view white_space =
    R"(\x{09}-\x{0d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view no_white_space =
    R"(\x{00}-\x{08}\x{0e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
// Oniguruma's \w beyond letters, marks, decimal digits and connectors.
constexpr std::string_view other_word =
    R"(\p{Nl}\x{b2}-\x{b3}\x{b9}\x{bc}-\x{be}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";

class translator {
 public:
  translator(std::string_view pattern, std::string_view where) : pattern_(pattern), where_(where) {}

  std::string translate() {
    while (at_ < pattern_.size()) {
      switch (pattern_[at_]) {
        case '\\':
          escape();
          break;
        case '[':
          character_class();
          break;
        case '(':
          group();
          break;
        case '{':
          interval();
          break;
        case '^':  // of a line, in Ruby's syntax
          put("(?m:^)", 1);
          break;
        case '$':
          put("(?m:$)", 1);
          break;
        default:
          put(pattern_.substr(at_, 1), 1);
      }
    }
    return std::move(made_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    throw error(error_code::unsupported, where_,
                "the pattern '" + io::printable(pattern_) + "' uses " + io::printable(construct) +
                    ", which act doesn't have");
  }
  [[nodiscard]] std::string_view rest() const { return pattern_.substr(at_); }
  void put(std::string_view text, std::size_t taken) {
    made_ += text;
    at_ += taken;
  }
  static std::string characters_of(const property& of) {
    std::string characters;
    for (const std::string_view part : of.parts)
      characters += part;
    return characters;
  }
  static std::string characters_of(std::string_view name) {
    const auto* const found =
        std::find_if(properties.begin(), properties.end(), [&](const property& p) { return p.name == name; });
    return found == properties.end() ? std::string() : characters_of(*found);
  }

  // What an escape stands for: one character, or those of a class.
  struct escaped {
    std::string inside;  // as it stands inside one of PCRE2's classes
    bool negated = false, is_class = false;
  };

  escaped read_escape() {
    if (rest().size() < 2) {
      ++at_;
      return {"\\", false, false};
    }
    const char letter = rest()[1];
    const auto of_class = [&](std::string inside, bool negated) {
      at_ += 2;
      return escaped{std::move(inside), negated, true};
    };
    switch (letter) {
      case 's':
        return of_class(std::string(white_space), false);
      case 'S':
        return of_class(std::string(white_space), true);
      case 'd':
        return of_class(characters_of("Nd"), false);
      case 'D':
        return of_class(characters_of("Nd"), true);
      case 'w':
      case 'W':
        return of_class(characters_of("L") + characters_of("M") + characters_of("Nd") + characters_of("Pc") +
                            std::string(other_word),
                        letter == 'W');
      case 'h':
      case 'H':
        return of_class("0-9a-fA-F", letter == 'H');
      case 'p':
      case 'P':
        return read_property(letter == 'P');
      default:
        return read_character(letter);
    }
  }

  escaped read_property(bool negated) {
    const std::size_t end = rest().find('}');
    if (rest().size() < 4 || rest()[2] != '{' || end == std::string_view::npos) refuse(rest().substr(0, 3));
    std::string_view name = rest().substr(3, end - 3);
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    std::string inside = characters_of(name);
    if (inside.empty()) refuse(rest().substr(0, std::min<std::size_t>(end + 1, 40)));
    at_ += end + 1;
    return {std::move(inside), negated, true};
  }

  escaped read_character(char letter) {
    const auto is_hex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    const auto literal = [&](std::string text, std::size_t taken) {
      at_ += taken;
      return escaped{std::move(text), false, false};
    };
    switch (letter) {
      case 'n':
      case 'r':
      case 't':
      case 'f':
      case 'a':
      case 'e':
        return literal(std::string(rest().substr(0, 2)), 2);
      case 'v':  // PCRE2's is a class
        return literal("\\x{0b}", 2);
      case 'x':
        if (rest().size() > 3 && rest()[2] == '{') {
          const std::size_t end = rest().find('}');
          if (end != std::string_view::npos && end <= 3 + 8 &&
              std::all_of(rest().begin() + 3, rest().begin() + static_cast<std::ptrdiff_t>(end), is_hex))
            return literal(std::string(rest().substr(0, end + 1)), end + 1);
        } else if (rest().size() > 3 && rest()[2] >= '0' && rest()[2] <= '7' && is_hex(rest()[3])) {
          return literal("\\x{" + std::string(rest().substr(2, 2)) + "}", 4);
        }
        refuse(rest().substr(0, 4));
      case 'u':
        if (rest().size() >= 6 && std::all_of(rest().begin() + 2, rest().begin() + 6, is_hex))
          return literal("\\x{" + std::string(rest().substr(2, 4)) + "}", 6);
        refuse(rest().substr(0, 2));
      default:
        break;
    }
    const bool word = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                      (letter >= 'A' && letter <= 'Z');
    if (word) refuse(rest().substr(0, 2));
    // A sign stands for itself; so does a character beyond ASCII, whose other bytes follow as they are.
    return literal(std::string(rest().substr(0, 2)), 2);
  }

  void escape() {
    if (rest().size() > 1 && (rest()[1] == 'A' || rest()[1] == 'z' || rest()[1] == 'Z')) {
      put(rest().substr(0, 2), 2);
      return;
    }
    const escaped read = read_escape();
    if (read.is_class)
      made_ += (read.negated ? "[^" : "[") + read.inside + "]";
    else
      made_ += read.inside;
  }

  // Behind a class a hyphen makes no range, but behind what a class is spelled as here it would.
  void literal_hyphen(std::string& inside) {
    if (!rest().starts_with('-')) return;
    inside += "\\-";
    ++at_;
  }

  // A class of Oniguruma may hold others, whose characters it has too.
  std::string read_class(bool& negated, int depth) {
    if (depth > 8) refuse("classes in classes");
    ++at_;
    negated = rest().starts_with('^');
    if (negated) ++at_;
    if (rest().starts_with(']')) refuse("a class that begins with ]");
    std::string inside;
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      const char c = pattern_[at_];
      if (rest().starts_with("&&")) refuse("&&");
      if (rest().starts_with("[:")) refuse(rest().substr(0, 10));
      if (c == '[') {
        bool inner_negated = false;
        const std::string inner = read_class(inner_negated, depth + 1);
        if (inner_negated) refuse("a negated class in a class");
        inside += inner;
        literal_hyphen(inside);
      } else if (c == '\\') {
        const std::string_view begun = rest().substr(0, 2);
        const escaped read = read_escape();
        if (read.is_class && read.negated) {
          if (begun != "\\S") refuse(std::string(begun) + " in a class");
          inside += no_white_space;
        } else {
          inside += read.inside;
        }
        if (read.is_class) literal_hyphen(inside);
      } else {
        inside += c;
        ++at_;
      }
    }
    if (at_ < pattern_.size())
      ++at_;
    else
      unclosed_ = true;
    return inside;
  }

  void character_class() {
    bool negated = false;
    const std::string inside = read_class(negated, 0);
    made_ += (negated ? "[^" : "[") + inside + (unclosed_ ? "" : "]");
  }

  void group() {
    if (!rest().starts_with("(?")) {
      put("(?:", 1);  // nothing refers to a group
      return;
    }
    for (const std::string_view known : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"})
      if (rest().starts_with(known)) {
        put(known, known.size());
        return;
      }
    if (at_ == 0 && rest().starts_with("(?i)")) {  // elsewhere the two differ in how far it reaches
      put("(?i)", 4);
      return;
    }
    refuse(rest().substr(0, 4));
  }

  void interval() {
    const std::size_t end = rest().find('}');
    const std::string_view inside = end == std::string_view::npos ? "" : rest().substr(1, end - 1);
    const bool counts = !inside.empty() && inside != "," &&
                        std::all_of(inside.begin(), inside.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || c == ','; }) &&
                        std::count(inside.begin(), inside.end(), ',') <= 1;
    if (!counts) {
      put("\\{", 1);
      return;
    }
    // Ruby's {..}+ repeats what PCRE2's takes possessively, and its {n}? is optional.
    const std::string_view behind = rest().substr(end + 1);
    if (behind.starts_with('+') || (behind.starts_with('?') && inside.find(',') == std::string_view::npos))
      refuse(rest().substr(0, end + 2));
    made_ += inside.starts_with(',') ? "{0" : "{";
    put(rest().substr(1, end), end + 1);
  }

  std::string_view pattern_, where_;
  std::size_t at_ = 0;
  std::string made_;
  bool unclosed_ = false;
};

}  // namespace

std::string pcre2_pattern(std::string_view pattern, std::string_view where) {
  return translator(pattern, where).translate();
}

}  // namespace act::runtime
