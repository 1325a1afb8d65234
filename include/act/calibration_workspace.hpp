// Scratch memory of calls, kept from call to call by those who don't want it taken anew. Whoever wants no
// allocation at all hands a call memory of his own: call_context.hpp.
#pragma once

#include <act/version.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace act::inline ACT_ABI {

/// Memory that calls can share, one after another: it grows to the largest call seen and stays. What lies in
/// it is nobody's business between calls; a copy begins empty.
class calibration_workspace {
 public:
  calibration_workspace() = default;
  /// Empty.
  calibration_workspace(const calibration_workspace&) noexcept {}
  /// Takes the memory over.
  /// @param from is empty afterwards
  calibration_workspace(calibration_workspace&& from) noexcept
      : memory_(std::move(from.memory_)), bytes_(std::exchange(from.bytes_, 0)) {}
  /// Takes the memory of a copy over, which is empty, or of another.
  /// @param from is empty afterwards
  /// @return this
  calibration_workspace& operator=(calibration_workspace from) noexcept {
    std::swap(memory_, from.memory_);
    std::swap(bytes_, from.bytes_);
    return *this;
  }
  ~calibration_workspace() = default;

  /// Grows to `bytes`; throws std::bad_alloc.
  /// @param bytes what a call needs
  /// @return so many bytes or more, uninitialised
  std::span<std::byte> take(std::size_t bytes) {
    if (bytes_ < bytes) {
      // Room beside the old block first: when that fails, the old one is still there.
      std::unique_ptr<std::byte[]> larger(new std::byte[bytes]);
      memory_ = std::move(larger);
      bytes_ = bytes;
    }
    return {memory_.get(), bytes_};
  }
  /// @return what it holds
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace act::inline ACT_ABI
