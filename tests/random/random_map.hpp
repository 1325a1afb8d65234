// Random attention maps for the core's tests: any shape, layout and visibility, softmaxed rows with a few
// strong columns, and guard values around and between the rows that must survive.
#pragma once

#include <act/attention_view.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#include "random/random_numbers.hpp"
#include "reference/calibration.hpp"

namespace act_test {

enum class layout { packed, padded, query_before_head };

struct map_shape {
  std::size_t batches = 1, heads = 1, queries = 1, keys = 1;
  std::size_t query_offset = 0, window = 0;
  std::vector<std::size_t> first_key = {};
  layout order = layout::packed;
};

/// Up to 3 batch entries of 4 heads and 90 rows, at any offset, window and padding.
inline map_shape random_shape(unsigned seed) {
  random_numbers random(seed * 7919);
  map_shape shape;
  shape.batches = 1 + random.below(3);
  shape.heads = 1 + random.below(4);
  shape.queries = 1 + random.below(90);
  shape.query_offset = random.one_in(3) ? random.below(40) : 0;
  shape.keys = shape.query_offset + shape.queries + (random.one_in(3) ? random.below(20) : 0);
  shape.window = random.one_in(3) ? 1 + random.below(50) : 0;
  if (random.one_in(2)) {
    for (std::size_t b = 0; b < shape.batches; ++b) {
      const std::size_t key = random.below(shape.keys + 1);
      shape.first_key.push_back(key / (1 + random.below(4)));
    }
  }
  shape.order = layout{static_cast<int>(random.below(3))};
  return shape;
}

/// Owns the elements of a map. Not movable: the span points into it.
template <class T>
class random_map {
 public:
  static constexpr float guard = -7;  // in every element that no row owns

  random_map(const map_shape& shape, unsigned seed, double row_mass = 1.0) : first_key_(shape.first_key) {
    const std::size_t row = shape.order == layout::padded ? shape.keys + 3 : shape.keys;
    span_ = act::attention_span<T>::packed(nullptr, shape.batches, shape.heads, shape.queries, shape.keys,
                                           {shape.query_offset, first_key_, shape.window});
    if (shape.order == layout::query_before_head) {
      span_.head_stride = row;
      span_.query_stride = shape.heads * row;
      span_.batch_stride = shape.queries * shape.heads * row;
    } else {
      span_.query_stride = row;
      span_.head_stride = shape.queries * row + (shape.order == layout::padded ? 5 : 0);
      span_.batch_stride = shape.heads * span_.head_stride + (shape.order == layout::padded ? 7 : 0);
    }
    elements_.assign(shape.batches * span_.batch_stride + 1 + 16, T(guard));
    span_.data = elements_.data() + 1;  // odd on purpose: nothing may assume alignment
    fill(seed, row_mass);
  }
  random_map(const random_map&) = delete;
  random_map& operator=(const random_map&) = delete;

  [[nodiscard]] const act::attention_span<T>& span() const { return span_; }
  [[nodiscard]] std::vector<T>& elements() { return elements_; }
  [[nodiscard]] const std::vector<T>& elements() const { return elements_; }

  /// The same map in the oracle's form.
  [[nodiscard]] reference::map to_reference() const {
    reference::map m;
    m.batches = span_.batches;
    m.heads = span_.heads;
    m.queries = span_.queries;
    m.keys = span_.keys;
    m.query_offset = span_.visible.query_offset;
    m.window = span_.visible.window;
    m.first_key = first_key_.empty() ? std::vector<std::size_t>(span_.batches, 0) : first_key_;
    m.weights.resize(m.batches * m.heads * m.queries * m.keys);
    for (std::size_t b = 0; b < m.batches; ++b) {
      for (std::size_t h = 0; h < m.heads; ++h) {
        for (std::size_t i = 0; i < m.queries; ++i) {
          for (std::size_t j = 0; j < m.keys; ++j)
            m.at(b, h, i, j) = static_cast<double>(span_.row(b, h, i)[j]);
        }
      }
    }
    return m;
  }

 private:
  void fill(unsigned seed, double row_mass) {
    random_numbers random(seed);
    for (std::size_t b = 0; b < span_.batches; ++b) {
      for (std::size_t h = 0; h < span_.heads; ++h) {
        std::vector<double> column(span_.keys);
        for (double& each : column)
          each = random.one_in(9) ? 5.0 : 0.0;  // a ninth of the keys draw attention
        for (std::size_t i = 0; i < span_.queries; ++i) {
          T* const row = span_.row(b, h, i);
          for (std::size_t j = 0; j < span_.keys; ++j)
            row[j] = T(0);
          const act::key_range seen = span_.visible.row(b, i);
          double sum = 0;
          std::vector<double> weight(span_.keys);
          for (std::size_t j = seen.begin; j < seen.end; ++j)
            sum += weight[j] = std::exp(random.normal() + column[j]);
          // Below 1 rows differ, as with learned sinks: a row taken for its neighbour is noticed.
          const double mass = row_mass == 1 ? 1 : row_mass * (1 - 0.1 * static_cast<double>(i % 7));
          for (std::size_t j = seen.begin; j < seen.end; ++j)
            row[j] = static_cast<T>(weight[j] / sum * mass);
        }
      }
    }
  }

  std::vector<std::size_t> first_key_;
  act::attention_span<T> span_;
  std::vector<T> elements_;
};

/// Equal to the bit, NaN included.
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

}  // namespace act_test
