// A vector that begins where a vector register's line does: sums over it are formed alike wherever it lies,
// and no load crosses a line.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace act::runtime {

template <class T>
struct aligned_allocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  aligned_allocator() noexcept = default;
  template <class U>
  aligned_allocator(const aligned_allocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T* numbers, std::size_t) noexcept { ::operator delete(numbers, alignment); }

  template <class U>
  bool operator==(const aligned_allocator<U>&) const noexcept {
    return true;
  }
};

template <class T>
using aligned_vector = std::vector<T, aligned_allocator<T>>;

}  // namespace act::runtime
