// Lines, trimming, encodings: the rules every line reader shares.
#include "message_of.hpp"

#include <act/io/utf8.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>

#include <doctest/doctest.h>

#include <utility>

namespace {

using numbered_lines = std::vector<std::pair<std::string, std::size_t>>;

numbered_lines lines_of(const std::string& text,
                        act::tasks::text_encoding encoding = act::tasks::text_encoding::utf8) {
  numbered_lines lines;
  act::tasks::for_each_line({"f", text}, encoding, [&](std::string_view line, std::size_t number) {
    lines.emplace_back(line, number);
  });
  return lines;
}

}  // namespace

TEST_CASE("lines end at 0x0A only, lose one CR, and empty ones are passed over") {
  CHECK(lines_of("a\n\nb\r\n\r\nc\r\r\nd") == numbered_lines{{"a", 1}, {"b", 3}, {"c\r", 5}, {"d", 6}});
  CHECK(lines_of("a\xC2\x85"
                 "b\xE2\x80\xA8"
                 "c\x0B\x0C") == numbered_lines{{"a\xC2\x85"
                                                 "b\xE2\x80\xA8"
                                                 "c\x0B\x0C",
                                                 1}});
  CHECK(lines_of("").empty());
  CHECK(lines_of(" \n") == numbered_lines{{" ", 1}});
  CHECK(lines_of("\xEF\xBB\xBFx") == numbered_lines{{"x", 1}});
  CHECK(lines_of("\xEF\xBB\xBFx", act::tasks::text_encoding::latin1) == numbered_lines{{"\xEF\xBB\xBFx", 1}});
  CHECK(lines_of("a\x85\x96\n", act::tasks::text_encoding::latin1) == numbered_lines{{"a\x85\x96", 1}});
}

TEST_CASE("bytes that aren't UTF-8 are refused with line and byte") {
  CHECK(act_test::message_of([] { lines_of("fine\nna\xEFve\n"); }) ==
        "f:2: byte 3 isn't UTF-8; convert the file to UTF-8");
}

TEST_CASE("zero bytes, as a copy that broke off leaves them, are refused with line and byte") {
  const std::string text("fine\nna\0ve\n", 11);
  for (const auto encoding : {act::tasks::text_encoding::utf8, act::tasks::text_encoding::latin1})
    CHECK(act_test::message_of([&] { lines_of(text, encoding); }) ==
          "f:2: byte 3 is zero; is this a text file, and whole?");
}

TEST_CASE("a line beyond 16 MiB is refused") {
  std::string text(act::tasks::line_length_limit + 1, 'x');
  CHECK(act_test::message_of([&] { lines_of("a\n" + text); }) ==
        "f:2: is longer than 16 MiB; is this a text file?");
  text.pop_back();
  CHECK(lines_of(text).size() == 1);
}

TEST_CASE("well-formed UTF-8 is RFC 3629's") {
  const auto valid = [](std::string_view text) {
    return act::io::find_invalid_utf8(text) == std::string_view::npos;
  };
  CHECK(valid(
      "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
  for (const char* broken :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE1\x80",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xF0\x90\x80"}) {
    CHECK_FALSE(valid(broken));
  }
  CHECK(act::io::find_invalid_utf8("ab\xC3\xA9\xFF") == 4);
}

TEST_CASE("trimming takes spaces, tabs, CR and LF and nothing else") {
  CHECK(act::tasks::trimmed(" \t\r\na b\n") == "a b");
  CHECK(act::tasks::trimmed("\x85 a\xC2\xA0 ") == "\x85 a\xC2\xA0");
  CHECK(act::tasks::trimmed("\x0B"
                            "a\x0C") ==
        "\x0B"
        "a\x0C");
  CHECK(act::tasks::trimmed(" \t ").empty());
}

TEST_CASE("Latin-1 bytes are their code points") {
  CHECK(act::io::latin1_to_utf8("a\xE9\x85\xFF") == "a\xC3\xA9\xC2\x85\xC3\xBF");
}

TEST_CASE("excerpts in errors are short and printable") {
  CHECK(act::tasks::excerpt("a\tb\xFF") == "'a?b?'");
  CHECK(act::tasks::excerpt(std::string(50, 'x')) == "'" + std::string(40, 'x') + "...'");
}

TEST_CASE("JSON lines must be objects, of bounded depth, without repeated keys") {
  const auto refused = [](const std::string& text) {
    return act_test::message_of([&] {
      act::tasks::for_each_json_line({"f", text}, [](const act::tasks::json_record&) {});
    });
  };
  CHECK(refused("{}\n{\"a\": }\n") == "f:2: not valid JSON at byte 7; mend the line or remove it");
  CHECK(refused("{\"a\": 1") == "f:1: not valid JSON at byte 8; mend the line or remove it");
  CHECK(refused("{} x") == "f:1: not valid JSON at byte 4; mend the line or remove it");
  CHECK(refused("[1]") == "f:1: must be a JSON object in braces");
  CHECK(refused("{\"a\": 1, \"a\": 2}") ==
        "f:1: key 'a' appears twice in one object; mend the line or remove it");
  CHECK(refused("{\"a\": 1e999}") ==
        "f:1: not valid JSON, a number is out of range; mend the line or remove it");
  CHECK(refused("{\"a\": \"\\ud800\"}").starts_with("f:1: not valid JSON at byte "));
  CHECK(refused("{\"a\": \"\xFF\"}") == "f:1: byte 8 isn't UTF-8; convert the file to UTF-8");
  const std::string deep = "f:1: nested deeper than 64 levels; mend the line or remove it";
  CHECK(refused(std::string(1000000, '[')) == deep);
  CHECK(refused("{\"a\":" + std::string(64, '[') + std::string(64, ']') + "}") == deep);
  CHECK(refused("{\"a\":" + std::string(63, '[') + std::string(63, ']') + "}").empty());
  std::string objects;
  for (int i = 0; i < 100000; ++i) {
    objects += "{\"a\":";
  }
  CHECK(refused(objects) == deep);
}
