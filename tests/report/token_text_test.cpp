// Tokens as people see them: nothing hidden, nothing that a terminal obeys.
#include <act/report/token_text.hpp>

#include <doctest/doctest.h>

#include <string>

#include "report/listed_tokenizer.hpp"

TEST_CASE("a token has its leading space, even where the tokenizer drops a text's first") {
  for (const bool drops : {false, true}) {
    const act_test::listed_tokenizer by({"the", " the", " ", "\n", "\xe2", "<s>"}, drops);
    CHECK(act::report::token_text(by, 0) == "the");
    CHECK(act::report::token_text(by, 1) == " the");
    CHECK(act::report::token_text(by, 2) == " ");
    CHECK(act::report::token_text(by, 3) == "\n");
    CHECK(act::report::token_text(by, 4) == "\xe2");
    CHECK(act::report::token_text(by, 5) == "<s>");
  }
}

TEST_CASE("printable characters stay, everything else is spelled out") {
  CHECK(act::report::visible_text("plain text, <b> & \"q\"") == "plain text, <b> & \"q\"");
  CHECK(act::report::visible_text("é 漢 😀") == "é 漢 😀");
  CHECK(act::report::visible_text("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(act::report::visible_text(std::string("\0\x1b[31m\x7f", 7)) == "\\x00\\x1b[31m\\x7f");
  CHECK(act::report::visible_text("back\\slash") == "back\\\\slash");
  CHECK(act::report::visible_text("\xe2\x82") == "\\xe2\\x82");  // half of a character
  CHECK(act::report::visible_text("\xc3\xa9\xff") == "é\\xff");
  CHECK(act::report::visible_text("\xc2\x9b") == "\\u{9b}");  // C1: a terminal's CSI
  CHECK(act::report::visible_text("a\xe2\x80\xae"
                                  "b") == "a\\u{202e}b");           // turns the line around
  CHECK(act::report::visible_text("\xe2\x80\x8b") == "\\u{200b}");  // no width
  CHECK(act::report::visible_text("\xef\xbb\xbf") == "\\u{feff}");
  CHECK(act::report::visible_text("\xf3\xa0\x80\x81") == "\\u{e0001}");
  CHECK(act::report::visible_text("") == "");
}

TEST_CASE("long tokens are cut by characters") {
  CHECK(act::report::visible_text("ééé", 3) == "ééé");
  CHECK(act::report::visible_text("éééé", 3) == "ééé...");
  const act_test::listed_tokenizer by({std::string(100, 'x'), " the"});
  CHECK(act::report::quoted_token(by, 0) == "'" + std::string(24, 'x') + "...'");
  CHECK(act::report::quoted_token(by, 1) == "' the'");
}
