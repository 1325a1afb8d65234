// Maps formed from queries and keys, against the double oracle.
#include <doctest/doctest.h>
#include <act/runtime/attention_maps.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "reference/attention.hpp"

namespace {

struct packed_layer {
  act::runtime::attention_shape shape{.heads = 4, .kv_heads = 2, .head_size = 12, .scale = 0.3F};
  std::vector<act::runtime::attention_sequence> sequences;
  act::runtime::matrix query, key;
};

// Prompts of these lengths one under another, values drawn from a normal distribution.
packed_layer make_layer(const std::vector<std::size_t>& lengths, unsigned seed) {
  packed_layer layer;
  std::size_t rows = 0;
  for (const std::size_t length : lengths) {
    layer.sequences.push_back({.first_query = rows, .queries = length, .first_key = rows, .keys = length});
    rows += length;
  }
  std::mt19937 random(seed);
  std::normal_distribution<float> draw;
  layer.query.resize(rows, layer.shape.heads * layer.shape.head_size);
  layer.key.resize(rows, layer.shape.kv_heads * layer.shape.head_size);
  for (act::runtime::matrix* part : {&layer.query, &layer.key}) {
    for (std::size_t i = 0; i < part->size(); ++i)
      part->data()[i] = 1.5F * draw(random);
  }
  return layer;
}

reference::tensor head_tensor(const act::runtime::matrix& of, const act::runtime::attention_sequence& at,
                              std::size_t heads, std::size_t size) {
  reference::tensor made{.batches = 1, .heads = heads, .tokens = at.queries, .channels = size, .numbers = {}};
  for (std::size_t head = 0; head < heads; ++head) {
    for (std::size_t token = 0; token < at.queries; ++token) {
      for (std::size_t c = 0; c < size; ++c) {
        made.numbers.push_back(static_cast<double>(of(at.first_query + token, head * size + c)));
      }
    }
  }
  return made;
}

}  // namespace

TEST_CASE("maps of packed prompts equal the oracle's, block by block") {
  const packed_layer layer = make_layer({1, 64, 150, 7, 65}, 3);
  double worst = 0;
  for (const act::runtime::attention_sequence& sequence : layer.sequences) {
    const std::size_t tokens = sequence.queries;
    reference::map oracle{
        .batches = 1, .heads = 4, .queries = tokens, .keys = tokens, .first_key = {0}, .weights = {}};
    reference::attend(oracle, head_tensor(layer.query, sequence, 4, 12),
                      head_tensor(layer.key, sequence, 2, 12),
                      {.scale = static_cast<double>(layer.shape.scale), .slopes = {}, .sink_logits = {}});
    act::runtime::map_rows_memory memory;
    for (std::size_t head = 0; head < 4; ++head) {
      std::size_t next = 0;
      act::runtime::for_each_map_rows(layer.shape, sequence, layer.query, layer.key, head, memory,
                                      [&](const act::attention_view<float>& rows) noexcept {
                                        CHECK(!rows.validate());
                                        CHECK(rows.visible.query_offset == next);
                                        CHECK(rows.keys == next + rows.queries);
                                        for (std::size_t i = 0; i < rows.queries; ++i) {
                                          for (std::size_t j = 0; j < rows.keys; ++j) {
                                            const double difference =
                                                static_cast<double>(rows.row(0, 0, i)[j]) -
                                                oracle.at(0, head, next + i, j);
                                            worst = std::max(worst, std::abs(difference));
                                            if (j > next + i) CHECK(rows.row(0, 0, i)[j] == 0.0F);
                                          }
                                        }
                                        next += rows.queries;
                                      });
      CHECK(next == tokens);
    }
  }
  CHECK(worst < 2e-6);
  MESSAGE("largest difference of a weight: " << worst);
}

TEST_CASE("a score that isn't finite makes its row NaN, never a plausible number") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    packed_layer layer = make_layer({100}, 5);
    layer.query(90, 0) = bad;
    act::runtime::map_rows_memory memory;
    std::vector<bool> spoiled;
    act::runtime::for_each_map_rows(layer.shape, layer.sequences[0], layer.query, layer.key, 0, memory,
                                    [&](const act::attention_view<float>& rows) noexcept {
                                      bool any = false;
                                      for (std::size_t i = 0; i < rows.queries; ++i) {
                                        const bool whole = rows.visible.query_offset + i != 90;
                                        for (std::size_t j = 0; j < rows.keys; ++j) {
                                          const float weight = rows.row(0, 0, i)[j];
                                          any = any || std::isnan(weight);
                                          CHECK(std::isnan(weight) == (!whole && j <= 90));
                                        }
                                      }
                                      spoiled.push_back(any);
                                    });
    CHECK(spoiled == std::vector<bool>{false, true});
  }
}
