// The pre-tokenizer's pieces and character classes, and special tokens, are those of the Python package
// `tokenizers`.
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "golden_lines.hpp"
#include "message_of.hpp"

namespace {

using pieces = std::vector<std::string>;

pieces split(const act::runtime::pre_tokenizer& pre, std::string_view text) {
  act::runtime::text_pieces cut;
  cut.text = text;
  act::runtime::pre_tokenizer::workspace scratch;
  pre.split(cut, true, scratch);
  pieces found;
  for (std::size_t i = 0; i < cut.pieces.size(); ++i)
    found.emplace_back(cut[i]);
  return found;
}

/// The pieces of GPT-2's pattern, not spelled in its alphabet.
act::runtime::pre_tokenizer words() {
  act::runtime::pre_tokenizer pre;
  pre.add_split(act::runtime::gpt2_pattern, act::runtime::split_behaviour::isolated, "test");
  return pre;
}

}  // namespace

TEST_CASE("words take their space along, contractions and signs stand alone") {
  const act::runtime::pre_tokenizer gpt2 = words();
  CHECK(split(gpt2, "It's  2024, isn't it?") ==
        pieces{"It", "'s", " ", " 2024", ",", " isn", "'t", " it", "?"});
  CHECK(split(gpt2, "a\n\n b  ") == pieces{"a", "\n\n", " b", "  "});
  CHECK(split(gpt2, "").empty());
  act::runtime::pre_tokenizer digits_first;
  digits_first.add_digits(true);
  digits_first.add_byte_level(false, true);
  CHECK(split(digits_first, "x 12y") == pieces{"x", "\u0120", "1", "2", "y"});
}

TEST_CASE("every code point has the class it has for the reference") {
  const act::runtime::pre_tokenizer gpt2 = words();
  act::runtime::pre_tokenizer digits;
  digits.add_digits(true);
  std::string classes;
  const auto classify = [&](char32_t c) {
    if (c >= 0xd800 && c < 0xe000) {
      classes += 'x';
      return;
    }
    const auto count = [&](const act::runtime::pre_tokenizer& pre, const char* before) {
      std::string text = before;
      act::io::append_utf8(text, c);
      return split(pre, text).size();
    };
    const char kind = count(gpt2, "a") == 1   ? 'L'
                      : count(gpt2, "1") == 1 ? 'N'
                      : count(gpt2, "!") == 1 ? 'O'
                                              : 'S';
    classes += count(digits, "a") == 2 ? static_cast<char>(kind - 'A' + 'a') : kind;
  };
  for (char32_t c = 0; c < 0x33480; ++c)
    classify(c);
  for (char32_t c = 0xe0000; c < 0xe0200; ++c)
    classify(c);
  std::ostringstream checksum;
  checksum << std::hex << std::setw(8) << std::setfill('0')
           << act_test::crc32(std::as_bytes(std::span(classes))) << '\n';
  CHECK(checksum.str() == act_test::read_whole_file(act_test::tokenizer_golden / "unicode_classes.crc32"));
}

TEST_CASE("matches are isolated, removed or merged with a neighbour") {
  const auto with = [](act::runtime::split_behaviour behaviour, std::string_view text) {
    act::runtime::pre_tokenizer pre;
    pre.add_split("-", behaviour, "test");
    return split(pre, text);
  };
  // The reference's own example: "the-final--countdown".
  CHECK(with(act::runtime::split_behaviour::isolated, "the-final--countdown") ==
        pieces{"the", "-", "final", "-", "-", "countdown"});
  CHECK(with(act::runtime::split_behaviour::removed, "the-final--countdown") ==
        pieces{"the", "final", "countdown"});
  CHECK(with(act::runtime::split_behaviour::merged_with_previous, "the-final--countdown") ==
        pieces{"the-", "final-", "-", "countdown"});
  CHECK(with(act::runtime::split_behaviour::merged_with_next, "the-final--countdown") ==
        pieces{"the", "-final", "-", "-countdown"});
  CHECK(with(act::runtime::split_behaviour::removed, "--").empty());
}

TEST_CASE(
    "a pattern that can match nothing ends, one that doesn't compile is refused, one that explodes too") {
  act::runtime::pre_tokenizer pre;
  pre.add_split("x*", act::runtime::split_behaviour::isolated, "test");
  CHECK(split(pre, "a\u00e9xxb") == pieces{"a", "\u00e9", "xx", "b"});
  CHECK(act_test::contains(act_test::message_of([] {
                             act::runtime::pre_tokenizer bad;
                             bad.add_split("(", act::runtime::split_behaviour::isolated, "tokenizer.json");
                           }),
                           "tokenizer.json: the pattern '(' doesn't compile"));
  act::runtime::pre_tokenizer explosive;
  explosive.add_split("(a+)+$", act::runtime::split_behaviour::isolated, "test");
  const std::string text = std::string(64, 'a') + "b";
  CHECK(act_test::contains(act_test::message_of([&] { (void)split(explosive, text); }), "can't be matched"));
}

TEST_CASE("the longest of the leftmost special tokens wins, and white space goes where a token wants it") {
  std::vector<act::runtime::special_token> tokens(5);
  tokens[0].text = "<a>";
  tokens[1].text = "<a><b>";
  tokens[2].text = "word";
  tokens[2].single_word = true;
  tokens[3].text = "<l>";
  tokens[3].lstrip = true;
  tokens[4].text = "<r>";
  tokens[4].rstrip = true;
  const act::runtime::special_tokens special(tokens);
  const auto parts = [&](std::string_view text) {
    std::vector<act::runtime::special_tokens::part> found;
    special.split(text, act::runtime::special_tokens_in_text::are_tokens, found);
    std::string shown;
    for (const auto& part : found)
      shown +=
          (part.token != nullptr ? "[" : "(") + std::string(part.text) + (part.token != nullptr ? "]" : ")");
    return shown;
  };
  CHECK(parts("x<a>y") == "(x)[<a>](y)");
  CHECK(parts("<a><b><a><") == "[<a><b>][<a>](<)");
  CHECK(parts("word words sword word") == "[word]( words sword )[word]");
  CHECK(parts("word\u00e9 \u00e9word word\u2014") == "(word\u00e9 \u00e9word )[word](\u2014)");
  CHECK(parts("x \u3000<l> y") == "(x)[ \u3000<l>]( y)");
  CHECK(parts("x <r> \n y<r>") == "(x )[<r> \n ](y)[<r>]");
  CHECK(parts("<r> <l>") == "[<r> ][<l>]");
  CHECK(parts("") == "");
}
