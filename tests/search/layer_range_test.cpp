#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/search/layer_range.hpp>

TEST_CASE("ranges count from 0, include both ends, and from the end when negative") {
  CHECK(act::search::parse_layer_range("2:-2", 30) == act::search::layer_range{2, 28});
  CHECK(act::search::parse_layer_range("20:-2", 30) == act::search::layer_range{20, 28});
  CHECK(act::search::parse_layer_range("0:29", 30) == act::search::layer_range{0, 29});
  CHECK(act::search::parse_layer_range("-1:-1", 30) == act::search::layer_range{29, 29});
  CHECK(act::search::parse_layer_range("2:-2", 5).count() == 2);
}

TEST_CASE("ranges that the model doesn't have are refused") {
  for (const char* text :
       {"", ":", "2", "2:", ":2", "a:b", "2:30", "-31:3", "5:4", "2:-29", "1:2:3", " 1:2"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)act::search::parse_layer_range(text, 30), act::error);
    try {
      (void)act::search::parse_layer_range(text, 30, "--of");
    } catch (const act::error& refused) {
      CHECK(refused.where() == "--of");
    }
  }
}
