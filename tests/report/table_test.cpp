// Aligned tables.
#include <act/report/table.hpp>

#include <doctest/doctest.h>

TEST_CASE("columns are aligned: the first to the left, the others to the right") {
  act::report::text_table table({"", "accuracy", "AUC"});
  table.add({"plain", "65.0 %", "0.846"});
  table.add({"calibré", "7.5 %"});
  table.add({"", "", ""});
  CHECK(table.str() ==
        "         accuracy    AUC\n"
        "plain      65.0 %  0.846\n"
        "calibré     7.5 %\n"
        "\n");
}

TEST_CASE("rows may be longer than the header, width counts characters") {
  act::report::text_table table({"a"});
  table.add({"b", "c"});
  CHECK(table.str() == "a\nb  c\n");
  CHECK(act::report::display_width("é😀x") == 3);
}
