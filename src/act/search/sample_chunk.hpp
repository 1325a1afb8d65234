// Which samples of a search are run together, and stored together.
#pragma once

#include <cstddef>

namespace act::search {

/// Samples [begin, end) of the plan, searched together.
struct sample_chunk {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
};

}  // namespace act::search
