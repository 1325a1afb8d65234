// Comma-separated values: quotes, newlines in cells, line ends.
#include "message_of.hpp"

#include <act/tasks/readers/csv.hpp>
#include <act/tasks/readers/lines.hpp>

#include <doctest/doctest.h>

namespace {

using table = std::vector<std::vector<std::string>>;

table cells_of(const std::string& text) {
  table cells;
  for (const act::tasks::csv_row& row : act::tasks::parse_csv({"f", text})) {
    cells.push_back(row.cells);
  }
  return cells;
}

std::string refused_csv(const std::string& text) {
  return act_test::message_of([&] { act::tasks::parse_csv({"f", text}); });
}

}  // namespace

TEST_CASE("quoted and plain cells") {
  CHECK(cells_of("a,\"b,\"\"c\"\"\",d\n") == table{{"a", "b,\"c\"", "d"}});
  CHECK(cells_of("a \"b\" c, d ,\n") == table{{"a \"b\" c", " d ", ""}});
  CHECK(cells_of(",\n\"\",\"\"\n") == table{{"", ""}, {"", ""}});
  CHECK(cells_of("\"back\\slash\\\"") == table{{"back\\slash\\"}});
  CHECK(cells_of("\"\"\"\"") == table{{"\""}});
}

TEST_CASE("rows end at 0x0A, with or without CR, empty lines are passed over") {
  CHECK(cells_of("a,b\r\n\r\n\nc,\"d\"\r\ne") == table{{"a", "b"}, {"c", "d"}, {"e"}});
  CHECK(cells_of("a\r") == table{{"a"}});
  CHECK(cells_of("\"a\"\r") == table{{"a"}});
  CHECK(cells_of("a\rb,c\n") == table{{"a\rb", "c"}});
  CHECK(cells_of("a\r,b\n") == table{{"a\r", "b"}});
  CHECK(cells_of("\xEF\xBB\xBF\"a\",b") == table{{"a", "b"}});
  CHECK(cells_of("").empty());
}

TEST_CASE("a quoted cell keeps its newlines, and lines are still counted") {
  const auto rows = act::tasks::parse_csv({"f", "\n\"a\r\n\nb\",c\nd\n"});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].cells == std::vector<std::string>{"a\r\n\nb", "c"});
  CHECK(rows[0].line == 2);
  CHECK(rows[1].line == 5);
}

TEST_CASE("broken quoting is refused where it is") {
  CHECK(refused_csv("a\nb,\"c\nd\n") == "f:2: a quoted cell is never closed; add the missing \"");
  CHECK(refused_csv("a,\"b\" c\n") ==
        "f:1: text follows the closing quote of cell 2; double the quotes inside a cell");
  CHECK(refused_csv("\"b\"\rc\n") ==
        "f:1: text follows the closing quote of cell 1; double the quotes inside a cell");
  CHECK(refused_csv("\"") == "f:1: a quoted cell is never closed; add the missing \"");
  CHECK(refused_csv(std::string("a,b\0\n", 6)) ==
        "f:1: cell 2 has a zero byte; is this a text file, and whole?");
  CHECK(refused_csv("a,na\xEFve\n") == "f:1: cell 2 isn't UTF-8; convert the file to UTF-8");
  CHECK(refused_csv("a,\"" + std::string(act::tasks::line_length_limit + 1, 'x') + "\"") ==
        "f:1: a cell is longer than 16 MiB; is a quote missing?");
}
