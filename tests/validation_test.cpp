// Doors: every bad argument is refused with a code and the member's name, and nothing is written.
#include <act/act.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "random/random_map.hpp"

namespace {

struct request {
  act::attention_span<float> map;
  act::layer_heads heads = act::layer_heads::all();
  act::calibration_options options;
};

struct expectation {
  act::error_code code;
  std::string where;
  std::function<void(request&)> spoil;
};

const std::vector<std::size_t> too_many_entries{0, 0, 0};
const std::vector<std::size_t> past_the_keys{0, 99};

const std::vector<expectation> bad_requests{
    {act::error_code::invalid_shape, "data", [](request& r) { r.map.data = nullptr; }},
    {act::error_code::invalid_shape, "query_stride", [](request& r) { r.map.query_stride = 1; }},
    {act::error_code::invalid_shape, "head_stride", [](request& r) { r.map.head_stride = 100; }},
    {act::error_code::invalid_shape, "batch_stride", [](request& r) { r.map.batch_stride = 1300; }},
    {act::error_code::invalid_shape, "visible.query_offset",
     [](request& r) { r.map.visible.query_offset = 1; }},
    {act::error_code::invalid_shape, "visible.first_key",
     [](request& r) { r.map.visible.first_key = too_many_entries; }},
    {act::error_code::invalid_shape, "visible.first_key",
     [](request& r) { r.map.visible.first_key = past_the_keys; }},
    {act::error_code::invalid_option, "heads",
     [](request& r) {
       r.heads = {0, 2};
     }},
    {act::error_code::invalid_option, "beta", [](request& r) { r.options.beta = -1; }},
    {act::error_code::invalid_option, "beta", [](request& r) { r.options.beta = std::nan(""); }},
    {act::error_code::invalid_option, "sinks.alpha", [](request& r) { r.options.sinks.alpha = 0; }},
    {act::error_code::invalid_option, "sinks.tau", [](request& r) { r.options.sinks.tau = 7; }},
    {act::error_code::invalid_option, "sinks.min_visible_rows",
     [](request& r) { r.options.sinks.min_visible_rows = 0; }},
    {act::error_code::unsupported, "behave_as",
     [](request& r) {
       r.options.behave_as = act::compatibility::authors;
       r.map.visible.window = 3;
     }},
};

}  // namespace

TEST_CASE("every bad member is refused by every door, before the first write") {
  for (const expectation& each : bad_requests) {
    CAPTURE(each.where);
    act_test::random_map<float> map({.batches = 2, .heads = 2, .queries = 30, .keys = 30}, 1);
    const auto before = map.elements();
    request r{.map = map.span(), .heads = act::layer_heads::all(), .options = {}};
    each.spoil(r);
    const auto check_refusal = [&](auto&& call) {
      try {
        call();
        FAIL_CHECK("not refused");
      } catch (const act::error& e) {
        CHECK(e.code() == each.code);
        CHECK(e.where() == each.where);
        const std::string message = e.what();
        CHECK(message.find(each.where) == 0);
        CHECK(message.find('\n') == std::string::npos);
      }
    };
    check_refusal([&] { act::calibrate(r.map, r.heads, r.options); });
    check_refusal([&] { (void)act::calibrated(r.map, r.heads, r.options); });
    if (each.where != "heads") {
      const std::vector<std::size_t> sinks{3};
      check_refusal([&] { act::calibrate_with_sinks(r.map, 0, 0, sinks, r.options); });
    }
    CHECK(act_test::same_bits(map.elements(), before));
  }
}

TEST_CASE("known sinks outside the map are refused") {
  act_test::random_map<float> map({.queries = 8, .keys = 8}, 1);
  const auto before = map.elements();
  const auto refused = [&](std::size_t batch, std::size_t head, const std::vector<std::size_t>& sinks) {
    try {
      act::calibrate_with_sinks(map.span(), batch, head, sinks);
    } catch (const act::error& e) {
      return e.code() == act::error_code::invalid_shape;
    }
    return false;
  };
  CHECK(refused(1, 0, {3}));
  CHECK(refused(0, 1, {3}));
  CHECK(refused(0, 0, {8}));
  CHECK(refused(0, 0, {3, 3}));
  CHECK(act_test::same_bits(map.elements(), before));
}
