// Which of a head's sinks a row sees. For everything that goes through rows with their sinks known.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Those of the ascending `positions` that `seen` holds.
[[nodiscard]] inline std::span<const std::size_t> sinks_within(std::span<const std::size_t> positions,
                                                               key_range seen) noexcept {
  const auto first = std::lower_bound(positions.begin(), positions.end(), seen.begin);
  const auto last = std::lower_bound(first, positions.end(), seen.end);
  return {first, last};
}

/// sinks_within() for row after row of one head: what rows see only moves right.
class sinks_of_rows {
 public:
  explicit sinks_of_rows(std::span<const std::size_t> sinks) noexcept : sinks_(sinks) {}

  [[nodiscard]] std::span<const std::size_t> within(key_range seen) noexcept {
    while (end_ < sinks_.size() && sinks_[end_] < seen.end)
      ++end_;
    while (begin_ < end_ && sinks_[begin_] < seen.begin)
      ++begin_;
    return sinks_.subspan(begin_, end_ - begin_);
  }

 private:
  std::span<const std::size_t> sinks_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
