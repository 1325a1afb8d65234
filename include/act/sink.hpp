// One attention sink, as reports and find_sinks (sinks.hpp) name it.
#pragma once

#include <act/version.hpp>

#include <cstddef>

namespace act::inline ACT_ABI {

/// A key whose column score is over the threshold.
struct sink {
  std::size_t position = 0;  ///< its key
  double score = 0;          ///< its column score: the mean weight of the rows that see it

  /// The same position and score.
  friend bool operator==(const sink&, const sink&) = default;
};

}  // namespace act::inline ACT_ABI
