// Choosing samples: the same seed means the same samples in every program and language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace act::tasks {

/// `k` different indices below `n` in drawing order: the first k steps of a Fisher-Yates shuffle, so that
/// select(n, k, s) opens select(n, k + 1, s). Throws error (invalid_option) when k > n. O(n).
std::vector<std::size_t> select(std::size_t n, std::size_t k, std::uint64_t seed);

/// At most `count` samples: chosen by select, then in file order. A count of 0 or less, or
/// of n or more, takes every sample.
std::vector<std::size_t> select_limited(std::size_t n, std::int64_t count, std::uint64_t seed);

}  // namespace act::tasks
