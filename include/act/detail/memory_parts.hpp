// Memory of the caller's, divided up: each call asks first how much it needs and then takes that apart the
// same way. cuda/workspace.hpp is the device's.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Hands out arrays of one block of memory, each aligned to 64 bytes from its beginning. Without memory it
/// only counts.
class memory_parts {
 public:
  explicit memory_parts(std::byte* memory = nullptr) noexcept : memory_(memory) {}

  template <class Element>
  [[nodiscard]] Element* take(std::size_t count) noexcept {
    std::byte* const at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (count * sizeof(Element) + 63) / 64 * 64;
    return reinterpret_cast<Element*>(at);
  }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  std::byte* memory_;
  std::size_t used_ = 0;
};

[[nodiscard]] inline refusal check_memory(std::span<const std::byte> memory, std::size_t needed) noexcept {
  const bool enough = memory.data() != nullptr && memory.size() >= needed &&
                      reinterpret_cast<std::uintptr_t>(memory.data()) % 16 == 0;
  if (needed == 0 || enough) return {};
  return {status::workspace_too_small,
          {"workspace", "has fewer bytes than the size query asks for, or isn't aligned to 16"}};
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
