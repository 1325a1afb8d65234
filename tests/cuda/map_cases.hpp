// A map calibrated by the core on the processor and by the device's kernels, compared. Shared by the emulated
// tests and the program for a real device: `Device` has upload(), download() and calibrate().
#pragma once

#include <act/calibrate.hpp>
#include <act/column_scores.hpp>
#include <act/cuda/attention_map.hpp>
#include <act/half.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "random/random_map.hpp"

namespace act_test {

/// How far two calibrations of one element may be apart, relative to the element: two roundings of the row's
/// factor, and one of the product that may fall either way.
template <class T>
inline constexpr double element_bound = 0x1p-21;
template <>
inline constexpr double element_bound<act::float16> = 0x1p-10 + 0x1p-21;
template <>
inline constexpr double element_bound<act::bfloat16> = 0x1p-7 + 0x1p-21;

/// What a device made of a map, in host memory.
template <class T>
struct device_result {
  std::vector<T> elements;
  std::vector<double> scores, moved;
  std::vector<std::int32_t> counts, positions;
};

/// The first difference in words, empty when there is none. Elements that the core left to the bit must be
/// so.
template <class T>
std::string difference(const random_map<T>& before, const random_map<T>& expected,
                       const act::calibration_report& report, const device_result<T>& got) {
  const act::attention_span<T>& map = expected.span();
  for (const act::head_report& head : report.heads) {
    const std::size_t at = head.batch * map.heads + head.head;
    const std::string where = "batch " + std::to_string(head.batch) + " head " + std::to_string(head.head);
    if (static_cast<std::size_t>(got.counts[at]) != head.sinks.size())
      return where + ": " + std::to_string(got.counts[at]) + " sinks, not " +
             std::to_string(head.sinks.size());
    for (std::size_t k = 0; k < head.sinks.size(); ++k) {
      const std::size_t position = head.sinks[k].position;
      if (static_cast<std::size_t>(got.positions[at * map.keys + k]) != position)
        return where + ": another sink than " + std::to_string(position);
    }
    std::vector<double> scores(map.keys);
    act::column_scores(before.span(), head.batch, head.head, std::span<double>(scores));
    for (std::size_t j = 0; j < map.keys; ++j) {
      const double score = got.scores[at * map.keys + j];
      const bool same = score == scores[j] || (std::isnan(score) && std::isnan(scores[j]));
      if (!same && !(std::abs(score - scores[j]) <= 4e-7 * scores[j]))
        return where + ": another score of key " + std::to_string(j);
    }
    if (!(std::abs(got.moved[at] - head.moved_mass) <= 1e-6 * head.moved_mass + 1e-12))
      return where + ": moved " + std::to_string(got.moved[at]) + ", not " + std::to_string(head.moved_mass);
  }
  // Where the core changed a row, what the row sees may differ by roundings; all else is as before, to the
  // bit.
  std::vector<bool> changed(before.elements().size(), false);
  for (std::size_t b = 0; b < map.batches; ++b) {
    for (std::size_t h = 0; h < map.heads; ++h) {
      for (std::size_t i = 0; i < map.queries; ++i) {
        const act::key_range seen = map.visible.row(b, i);
        const T* const row = expected.span().row(b, h, i);
        if (seen.empty() || std::memcmp(row + seen.begin, before.span().row(b, h, i) + seen.begin,
                                        seen.size() * sizeof(T)) == 0)
          continue;
        const auto at = static_cast<std::size_t>(row - expected.elements().data());
        for (std::size_t j = seen.begin; j < seen.end; ++j)
          changed[at + j] = true;
      }
    }
  }
  for (std::size_t e = 0; e < changed.size(); ++e) {
    const T& core = expected.elements()[e];
    if (std::ranges::equal(std::as_bytes(std::span(&got.elements[e], 1)), std::as_bytes(std::span(&core, 1))))
      continue;
    const double a = static_cast<double>(got.elements[e]), b = static_cast<double>(core);
    // An element below the type's normal range has fewer digits.
    const double least = sizeof(T) == sizeof(float) ? 1e-44 : 0x1p-24;
    if (!changed[e] || !(std::abs(a - b) <= element_bound<T> * std::abs(b) + least))
      return "element " + std::to_string(e) + ": " + std::to_string(a) + ", not " + std::to_string(b);
  }
  return {};
}

/// One head after another as bits, what a layer's set looks like on the device. Empty for all heads.
inline std::vector<std::uint32_t> bits_of(const std::vector<std::size_t>& heads, std::size_t available) {
  std::vector<std::uint32_t> words((available + 31) / 32, 0);
  for (const std::size_t h : heads)
    words[h / 32] |= std::uint32_t{1} << h % 32;
  return words;
}

}  // namespace act_test
