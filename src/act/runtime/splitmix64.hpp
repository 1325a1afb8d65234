// The one generator of random numbers: small and portable, so that a seed means the same in every program and
// language. For sampling tokens, choosing samples and resampling. Not for secrets.
#pragma once

#include <cstdint>

namespace act::runtime {

/// Steele, Lea, Flood 2014 with the usual constants. The state is the seed; every seed gives another
/// full-period stream.
class splitmix64 {
 public:
  explicit constexpr splitmix64(std::uint64_t seed) noexcept : state_(seed) {}

  /// The next 64 bits.
  constexpr std::uint64_t operator()() noexcept {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace act::runtime
