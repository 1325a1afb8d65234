// The sink trackers of a layer's heads, for those who keep them (decoder.hpp) and those who use them
// (attention.cpp). Apart from attention.hpp because a tracker brings the core's kernels with it.
#pragma once

#include <act/sink_tracker.hpp>

#include <vector>

namespace act::runtime {

/// [sequence * heads + head].
struct head_trackers {
  std::vector<sink_tracker> of;
};

}  // namespace act::runtime
