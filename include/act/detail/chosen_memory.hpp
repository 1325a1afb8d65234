// What a call keeps of each head that it calibrates, until it is reported. For every form; report_heads.hpp
// reads it afterwards.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/memory_parts.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// What became of one head.
struct head_outcome {
  std::size_t sinks = 0;  ///< how many positions there are
  double moved_mass = 0;  ///< what some keys lost to others, summed over rows
};

/// Memory of chosen heads, counted over all batch entries; `keys` numbers of each kind a head.
class chosen_memory {
 public:
  chosen_memory() = default;
  /// `with_marks`: for calls that change rows of maps.
  chosen_memory(memory_parts& parts, std::size_t heads, std::size_t keys, bool with_marks) noexcept
      : heads_(heads),
        keys_(keys),
        sums_(parts.take<double>(heads * keys)),
        positions_(parts.take<std::size_t>(heads * keys)),
        outcomes_(parts.take<head_outcome>(heads)),
        marks_(with_marks ? parts.take<double>(heads * keys) : nullptr) {}

  [[nodiscard]] std::size_t heads() const noexcept { return heads_; }
  [[nodiscard]] std::size_t keys() const noexcept { return keys_; }
  /// A head's column sums, then its scores.
  [[nodiscard]] std::span<double> sums(std::size_t entry) const noexcept {
    return {sums_ + entry * keys_, keys_};
  }
  /// Room for its sinks' positions.
  [[nodiscard]] std::span<std::size_t> positions(std::size_t entry) const noexcept {
    return {positions_ + entry * keys_, keys_};
  }
  [[nodiscard]] head_outcome& result(std::size_t entry) const noexcept { return outcomes_[entry]; }
  /// Scratch for `keys` numbers, floats or doubles.
  template <class A>
  [[nodiscard]] A* marks(std::size_t entry) const noexcept {
    return reinterpret_cast<A*>(marks_ + entry * keys_);
  }

 private:
  std::size_t heads_ = 0, keys_ = 0;
  double* sums_ = nullptr;
  std::size_t* positions_ = nullptr;
  head_outcome* outcomes_ = nullptr;
  double* marks_ = nullptr;
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
