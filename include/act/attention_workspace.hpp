// Scratch memory of the forms that begin at queries and keys, kept from call to call.
#pragma once

#include <act/calibration_workspace.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// Scratch memory of calibrated_attention, correct_output, decoding_attention and attention_weights: it grows
/// to the largest call seen and stays. `A` is float, or double for double inputs.
template <class A>
class attention_workspace {
 public:
  /// Memory of one of a call's threads, after reserve().
  /// @param worker its number
  /// @param size elements of each, as reserved
  /// @return `size` elements, uninitialised
  [[nodiscard]] std::span<A> of_worker(std::size_t worker, std::size_t size) noexcept {
    return {blocks_.data() + worker * size, size};
  }
  /// Grows to what a call needs; throws std::bad_alloc.
  /// @param workers threads
  /// @param size elements for each
  /// @param chosen calibrated heads, over all batch entries
  /// @param keys of each
  void reserve(std::size_t workers, std::size_t size, std::size_t chosen, std::size_t keys) {
    if (blocks_.size() < workers * size) blocks_.resize(workers * size);
    heads_.reserve(chosen, keys);
  }
  /// @return the memory of calibrated heads: sums, positions, outcomes
  [[nodiscard]] calibration_workspace& heads() noexcept { return heads_; }
  /// @return what the threads' memory takes, in bytes; without heads()
  [[nodiscard]] std::size_t bytes() const noexcept { return blocks_.size() * sizeof(A); }

 private:
  std::vector<A> blocks_;
  calibration_workspace heads_;
};

}  // namespace act::inline ACT_ABI
