#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/half.hpp>
#include <act/runtime/kv_cache.hpp>

#include "message_of.hpp"

namespace {

act::runtime::model_config shape() {
  act::runtime::model_config config;
  config.layers = 2;
  config.kv_heads = 3;
  config.head_size = 4;
  config.context = 64;
  return config;
}

// Rows [first, first + count): number i of row r is 100 r + i.
act::runtime::matrix rows(std::size_t first, std::size_t count) {
  act::runtime::matrix made(count, 24);
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t i = 0; i < 24; ++i)
      made(r, i) = static_cast<float>(100 * (first + r) + i);
  }
  return made;
}

}  // namespace

TEST_CASE("a cache keeps every layer's rows in order while it grows") {
  act::runtime::kv_cache cache(shape());
  CHECK(cache.positions() == 0);
  CHECK(cache.past(0).count == 0);
  std::size_t next = 0;
  for (const std::size_t count : {5, 1, 1, 1, 7, 1, 1, 30, 1}) {
    for (std::size_t layer = 0; layer < 2; ++layer)
      cache.append(layer, rows(next, count));
    next += count;
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const act::runtime::past_positions past = cache.past(layer);
      REQUIRE(past.count == next);
      for (std::size_t r = 0; r < past.count; ++r) {
        for (std::size_t i = 0; i < 12; ++i) {
          const std::size_t at = i / 4 * past.head_stride + r * past.stride + i % 4;
          REQUIRE(past.keys[at] == static_cast<float>(100 * r + i));
          REQUIRE(past.values[at] == static_cast<float>(100 * r + 12 + i));
        }
      }
    }
    CHECK(cache.positions() == next);
  }
  cache.truncate(3);
  CHECK(cache.positions() == 3);
  cache.append(0, rows(3, 1));
  CHECK(cache.past(0).count == 4);
  CHECK(cache.past(0).keys[3 * cache.past(0).stride] == 300.0F);
}

TEST_CASE("a cache refuses rows that aren't its layers'") {
  act::runtime::kv_cache cache(shape());
  CHECK_THROWS_AS(cache.append(0, act::runtime::matrix(1, 23)), act::error);
  CHECK_THROWS_AS(cache.append(2, rows(0, 1)), act::error);
}

TEST_CASE("a cache of halves holds the nearest ones, and refuses what they don't hold") {
  act::runtime::kv_cache cache(shape(), {}, act::runtime::cache_type::f16);
  std::size_t next = 0;
  for (const std::size_t count : {5, 1, 30}) {
    cache.append(0, rows(next, count));
    next += count;
    const act::runtime::past_positions past = cache.past(0);
    REQUIRE(past.count == next);
    CHECK(past.keys == nullptr);
    for (std::size_t r = 0; r < past.count; ++r) {
      for (std::size_t i = 0; i < 12; ++i) {
        const std::size_t at = i / 4 * past.head_stride + r * past.stride + i % 4;
        REQUIRE(past.half_keys[at].bits == act::float16(100 * r + i).bits);  // over 2,048 not every number
        REQUIRE(past.half_values[at].bits == act::float16(100 * r + 12 + i).bits);
      }
    }
  }
  act::runtime::matrix large = rows(0, 1);
  large(0, 17) = 65520;
  CHECK(act_test::message_of([&] { cache.append(0, large); }).find("--cache-type f32") != std::string::npos);
  const act::runtime::cache_policy forgets{.window = 8, .sinks = 2};
  CHECK(act_test::message_of([&] {
          act::runtime::kv_cache(shape(), forgets, act::runtime::cache_type::f16);
        }).find("turns the keys") != std::string::npos);
}
