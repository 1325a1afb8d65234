// Sets of cells of a key/value cache, as bits: what a row of an attention mask sees. For reading masks, where
// whole rows are compared with each other. Not a mask: that is numbers.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace act_llama {

/// Grows with what is put in; cells behind its end aren't in it.
class cell_set {
 public:
  cell_set() = default;

  /// The cells that a row of a mask lets through: those whose entry isn't minus infinity. (Others than 0 are
  /// biases, as ALiBi's.)
  [[nodiscard]] static cell_set seen_by(std::span<const float> mask_row) {
    cell_set seen;
    seen.words_.resize((mask_row.size() + bits - 1) / bits);
    for (std::size_t w = 0; w < seen.words_.size(); ++w) {
      const std::span<const float> part =
          mask_row.subspan(w * bits, std::min(bits, mask_row.size() - w * bits));
      std::uint64_t word = 0;
      for (std::size_t k = 0; k < part.size(); ++k)
        word |= std::uint64_t{part[k] > -std::numeric_limits<float>::infinity()} << k;
      seen.words_[w] = word;
    }
    return seen;
  }

  void insert(std::size_t cell) {
    if (cell / bits >= words_.size()) words_.resize(cell / bits + 1);
    words_[cell / bits] |= bit(cell);
  }
  void erase(std::size_t cell) noexcept {
    if (cell / bits < words_.size()) words_[cell / bits] &= ~bit(cell);
  }

  [[nodiscard]] bool contains(std::size_t cell) const noexcept {
    return cell / bits < words_.size() && (words_[cell / bits] & bit(cell)) != 0;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 0;
    for (const std::uint64_t word : words_)
      count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  [[nodiscard]] bool empty() const noexcept {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
  }

  /// Calls use(cell) for each cell of this set that isn't in `other`, ascending.
  template <class Use>
  void for_each_not_in(const cell_set& other, Use&& use) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t left = words_[w] & ~other.word(w); left != 0; left &= left - 1)
        use(w * bits + static_cast<std::size_t>(std::countr_zero(left)));
    }
  }
  /// Calls use(cell) for each cell, ascending.
  template <class Use>
  void for_each(Use&& use) const {
    for_each_not_in({}, use);
  }
  /// How many cells of this set aren't in `other`.
  [[nodiscard]] std::size_t count_not_in(const cell_set& other) const noexcept {
    std::size_t count = 0;
    for (std::size_t w = 0; w < words_.size(); ++w)
      count += static_cast<std::size_t>(std::popcount(words_[w] & ~other.word(w)));
    return count;
  }
  /// Puts in what is in `other`.
  void insert_all(const cell_set& other) {
    if (words_.size() < other.words_.size()) words_.resize(other.words_.size());
    for (std::size_t w = 0; w < other.words_.size(); ++w)
      words_[w] |= other.words_[w];
  }

 private:
  static constexpr std::size_t bits = 64;
  [[nodiscard]] static constexpr std::uint64_t bit(std::size_t cell) noexcept {
    return std::uint64_t{1} << (cell % bits);
  }
  [[nodiscard]] std::uint64_t word(std::size_t index) const noexcept {
    return index < words_.size() ? words_[index] : 0;
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace act_llama
