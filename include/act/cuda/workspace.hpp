// Memory of the caller's, divided up: each call asks first how much it needs and then takes that apart the
// same way.
#pragma once

#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

/// Hands out arrays of one block of memory, each aligned to 16 bytes. Without memory it only counts.
class workspace_parts {
 public:
  explicit workspace_parts(void* memory = nullptr) noexcept : memory_(static_cast<std::byte*>(memory)) {}

  template <class Element>
  [[nodiscard]] Element* take(std::size_t count) noexcept {
    std::byte* const at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (count * sizeof(Element) + 15) / 16 * 16;
    return reinterpret_cast<Element*>(at);
  }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  std::byte* memory_;
  std::size_t used_ = 0;
};

[[nodiscard]] inline bool is_enough(const void* memory, std::size_t bytes, std::size_t needed) noexcept {
  return needed == 0 ||
         (memory != nullptr && bytes >= needed && reinterpret_cast<std::uintptr_t>(memory) % 16 == 0);
}

}  // namespace act::inline ACT_ABI::cuda::detail
