#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/search/layer_range.hpp>

#include <cstddef>
#include <string>
#include <string_view>

TEST_CASE("ranges count from 0, include both ends, and from the end when negative") {
  CHECK(act::search::parse_layer_range("2:-2", 30) == act::search::layer_range{2, 28});
  CHECK(act::search::parse_layer_range("20:-2", 30) == act::search::layer_range{20, 28});
  CHECK(act::search::parse_layer_range("0:29", 30) == act::search::layer_range{0, 29});
  CHECK(act::search::parse_layer_range("-1:-1", 30) == act::search::layer_range{29, 29});
  CHECK(act::search::parse_layer_range("2:-2", 5).count() == 2);
}

TEST_CASE("models of few layers have no range of the paper's, and are shown another") {
  for (const std::size_t layers : {1u, 2u, 3u, 4u, 5u, 30u}) {
    CAPTURE(layers);
    const auto papers = act::search::paper_layer_range(layers);
    if (papers) CHECK(act::search::parse_layer_range(act::search::default_layer_range, layers) == *papers);
    std::string message;
    try {
      (void)act::search::parse_layer_range(papers ? std::string_view("x") : act::search::default_layer_range,
                                           layers);
    } catch (const act::error& refused) {
      message = refused.what();
    }
    CHECK(papers.has_value() == (layers >= 4));
    // What the message shows is a range that this model has.
    const std::size_t example = message.find("for example ") + 12;
    const std::string shown = message.substr(example, message.find(',', example) - example);
    CHECK(shown == (layers < 4 ? "0:-1" : "2:-2"));
    CHECK_NOTHROW((void)act::search::parse_layer_range(shown, layers));
  }
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

TEST_CASE("UniBias looks at the upper half of the layers") {
  CHECK(act::search::unibias_layer_range(32) == act::search::layer_range{16, 31});
  CHECK(act::search::unibias_layer_range(5) == act::search::layer_range{2, 4});
  CHECK(act::search::unibias_layer_range(1) == act::search::layer_range{0, 0});
}
