#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/half.hpp>
#include <act/runtime/kv_cache.hpp>

#include <memory>
#include <numeric>
#include <vector>

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
  for (const std::size_t count : {5UL, 1UL, 1UL, 1UL, 7UL, 1UL, 1UL, 30UL, 1UL}) {
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

TEST_CASE("a cache of reference heads keeps their keys, and makes the others' of them") {
  act::runtime::model_config config = shape();
  config.rotary = {{.dims = 4}};
  auto maps = std::make_shared<act::runtime::key_maps>();
  for (std::size_t layer = 0; layer < 2; ++layer) {
    act::runtime::layer_key_maps& of = maps->layers.emplace_back();
    of.references = {layer, 2};  // the other one is head 1, then head 0
    of.of_head.resize(3);
    act::runtime::matrix& map = of.of_head[layer == 0 ? 1 : 0];
    map.resize(9, 4);
    for (std::size_t input = 0; input < 9; ++input) {
      for (std::size_t at = 0; at < 4; ++at)
        map(input, at) = static_cast<float>(input + 1) / static_cast<float>(3 + at + layer);
    }
  }
  const act::runtime::cache_policy policy{.window = 0, .sinks = 0, .reference_heads = 2, .maps = maps};
  act::runtime::kv_cache cache(config, policy);
  CHECK(cache.turns_keys());
  CHECK(cache.bytes_a_position() == 2 * (2 + 3) * 4 * sizeof(float));
  CHECK(act::runtime::kv_cache(config).bytes_a_position() == 2 * 6 * 4 * sizeof(float));
  std::size_t next = 0;
  for (const std::size_t count : {3UL, 1UL, 1UL, 9UL, 1UL}) {
    for (std::size_t layer = 0; layer < 2; ++layer)
      cache.append(layer, rows(next, count));
    next += count;
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const act::runtime::past_positions past = cache.past(layer);
      REQUIRE(past.count == next);
      // The keys by their definition, then turned by their positions.
      std::vector<std::uint32_t> positions(next);
      std::iota(positions.begin(), positions.end(), 0U);
      act::runtime::matrix keys(next, 12);
      for (std::size_t r = 0; r < next; ++r) {
        for (std::size_t i = 0; i < 12; ++i)
          keys(r, i) = static_cast<float>(100 * r + i);
        const std::size_t made = layer == 0 ? 1 : 0;
        const act::runtime::matrix& map = maps->layers[layer].of_head[made];
        for (std::size_t at = 0; at < 4; ++at) {
          double sum = map(8, at);
          for (std::size_t input = 0; input < 8; ++input) {
            const std::size_t head = maps->layers[layer].references[input / 4];
            sum += static_cast<double>(100 * r + head * 4 + input % 4) * map(input, at);
          }
          keys(r, made * 4 + at) = static_cast<float>(sum);
        }
      }
      act::runtime::rotary_tables(config.rotary, positions).rotate(0, keys, 3, 4);
      for (std::size_t r = 0; r < next; ++r) {
        for (std::size_t i = 0; i < 12; ++i) {
          const std::size_t at = i / 4 * past.head_stride + r * past.stride + i % 4;
          REQUIRE(past.keys[at] == doctest::Approx(keys(r, i)).epsilon(1e-5));
          REQUIRE(past.values[at] == static_cast<float>(100 * r + 12 + i));
        }
      }
    }
  }
  const auto refused = [&](const act::runtime::cache_policy& wrong) {
    return act_test::message_of([&] { (void)act::runtime::kv_cache(config, wrong); });
  };
  CHECK(act_test::contains(refused({.reference_heads = 2}), "no maps"));
  CHECK(act_test::contains(refused({.reference_heads = 1, .maps = maps}), "no maps"));
  CHECK(act_test::contains(refused({.reference_heads = 3, .maps = maps}), "3 key heads; keep fewer"));
  config.kv_heads = 1;
  CHECK(act_test::contains(refused({.reference_heads = 1, .maps = maps}), "1 key head; use --cache all"));
  CHECK(act::runtime::text_of(act::runtime::parse_cache_policy("reference-heads:4", "--cache")) ==
        "reference-heads:4");
  for (const char* wrong : {"reference-heads:0", "reference-heads:", "reference-heads:2+sinks:1"})
    CHECK_THROWS_AS((void)act::runtime::parse_cache_policy(wrong, "--cache"), act::error);
}

TEST_CASE("a cache refuses rows that aren't its layers'") {
  act::runtime::kv_cache cache(shape());
  CHECK_THROWS_AS(cache.append(0, act::runtime::matrix(1, 23)), act::error);
  CHECK_THROWS_AS(cache.append(2, rows(0, 1)), act::error);
}

TEST_CASE("a cache of halves holds the nearest ones, and refuses what they don't hold") {
  act::runtime::kv_cache cache(shape(), {}, act::runtime::cache_type::f16);
  std::size_t next = 0;
  for (const std::size_t count : {5UL, 1UL, 30UL}) {
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
