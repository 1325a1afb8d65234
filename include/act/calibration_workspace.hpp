// Scratch memory of calibrate(), kept from call to call by those who don't want it taken anew.
#pragma once

#include <act/version.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// Scratch memory that calls can share, one after another: it grows to the largest map seen and stays.
class calibration_workspace {
 public:
  /// Grows to what a map of `keys` keys with `heads` chosen heads (over all batch entries) needs.
  /// @param heads chosen heads, over all batch entries
  /// @param keys of the map
  void reserve(std::size_t heads, std::size_t keys) {
    if (sums_.size() < heads * keys) sums_.resize(heads * keys);
    if (positions_.size() < heads * keys) positions_.resize(heads * keys);
    if (outcomes_.size() < heads) outcomes_.resize(heads);
  }
  /// And for marks(), which only maps need.
  /// @param heads,keys as reserve()'s
  void reserve_marks(std::size_t heads, std::size_t keys) {
    if (marks_.size() < heads * keys * sizeof(double)) marks_.resize(heads * keys * sizeof(double));
  }

  /// What is used for one head while it is calibrated.
  struct outcome {
    std::size_t sinks = 0;  ///< how many positions() holds
    double moved_mass = 0;  ///< what some keys lost to others, summed over rows
  };
  /// @param job a chosen head, counted over all batch entries
  /// @param keys of the map, as reserved
  /// @return its column sums, then its scores: one for each key
  [[nodiscard]] std::span<double> sums(std::size_t job, std::size_t keys) noexcept {
    return {sums_.data() + job * keys, keys};
  }
  /// @param job,keys as sums()'s
  /// @return room for its sinks' positions
  [[nodiscard]] std::span<std::size_t> positions(std::size_t job, std::size_t keys) noexcept {
    return {positions_.data() + job * keys, keys};
  }
  /// Scratch for `keys` numbers, floats or doubles.
  /// @tparam A float or double
  /// @param job,keys as sums()'s
  /// @return the first of `keys` numbers
  template <class A>
  [[nodiscard]] A* marks(std::size_t job, std::size_t keys) noexcept {
    return reinterpret_cast<A*>(marks_.data() + job * keys * sizeof(double));
  }
  /// @param job as sums()'s
  /// @return what happened to it
  [[nodiscard]] outcome& result(std::size_t job) noexcept { return outcomes_[job]; }

 private:
  std::vector<double> sums_;
  std::vector<std::size_t> positions_;
  std::vector<std::byte> marks_;
  std::vector<outcome> outcomes_;
};

}  // namespace act::inline ACT_ABI
