// Sums over a team of threads: one warp, or a whole block. Always in the same order, so that a result never
// depends on which thread came first.
//
// `Block` throughout this folder is what a kernel sees of its block: device_block.cuh on a device, an
// emulation in the tests. It offers index(), count() (of blocks), thread(), threads(), sync(), shared(),
// warp_sum(pair or four), add(counter, n), arrive(counter), peek(counter), pause(). Every thread of a warp
// (of a block) calls warp_sum (sync) equally often.
//
// What a block has written before a sync() is seen by blocks whose peek() or arrive() sees the arrive() of
// one of its threads after that sync(): by the thread that calls it, and by its block after a sync(). add()
// orders nothing.
#pragma once

#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

namespace act::inline ACT_ABI::cuda::detail {

inline constexpr int warp_size = 32;
inline constexpr int most_warps = 32;  // of a block

/// Two sums that travel together: a row's mass on sinks and elsewhere.
struct pair {
  double first = 0, second = 0;

  ACT_HOST_DEVICE friend pair operator+(pair a, pair b) noexcept {
    return {a.first + b.first, a.second + b.second};
  }
};

/// Four sums that travel together: dot products of a row with four others.
struct four {
  float at[4] = {};

  ACT_HOST_DEVICE friend four operator+(four a, const four& b) noexcept {
    for (int e = 0; e < 4; ++e)
      a.at[e] += b.at[e];
    return a;
  }
};

/// The threads of one warp.
template <class Block>
class warp_team {
 public:
  ACT_DEVICE explicit warp_team(Block& block) noexcept : block_(block) {}
  ACT_DEVICE int rank() const noexcept { return block_.thread() % warp_size; }
  ACT_DEVICE int size() const noexcept { return warp_size; }
  ACT_DEVICE pair sum(pair each) noexcept { return block_.warp_sum(each); }

 private:
  Block& block_;
};

/// All threads of a block; `scratch` has most_warps elements of shared memory, its own.
template <class Block>
class block_team {
 public:
  ACT_DEVICE block_team(Block& block, pair* scratch) noexcept : block_(block), scratch_(scratch) {}
  ACT_DEVICE int rank() const noexcept { return block_.thread(); }
  ACT_DEVICE int size() const noexcept { return block_.threads(); }
  ACT_DEVICE pair sum(pair each) noexcept {
    const pair of_warp = block_.warp_sum(each);
    if (block_.thread() % warp_size == 0) scratch_[block_.thread() / warp_size] = of_warp;
    block_.sync();
    pair total;
    for (int w = 0; w < block_.threads() / warp_size; ++w)
      total = total + scratch_[w];
    block_.sync();  // the scratch may be written again
    return total;
  }

 private:
  Block& block_;
  pair* scratch_;
};

/// Counts one more of `all` parts of something that are done; true, in all threads of the block, for the
/// last, which then sees what the other blocks wrote. `flag` is in shared memory.
template <class Block>
ACT_DEVICE inline bool is_last(Block& block, int& flag, int* done, int all) noexcept {
  block.sync();
  if (block.thread() == 0) flag = block.arrive(done) == all - 1 ? 1 : 0;
  block.sync();
  const bool last = flag != 0;
  block.sync();
  return last;
}

/// Sum of one number a warp (the same in each of its threads) in the order of the warps. `scratch` as
/// block_team's.
template <class Block>
ACT_DEVICE inline double sum_warps(Block& block, double of_warp, pair* scratch) noexcept {
  if (block.thread() % warp_size == 0) scratch[block.thread() / warp_size].first = of_warp;
  block.sync();
  double total = 0;
  for (int w = 0; w < block.threads() / warp_size; ++w)
    total += scratch[w].first;
  block.sync();
  return total;
}

/// For each thread of the block the sum over the threads before it, and over all of them. `scratch` has a
/// number for each thread.
template <class Block, class Number>
ACT_DEVICE inline Number sum_before(Block& block, Number each, Number* scratch, Number& total) noexcept {
  scratch[block.thread()] = each;
  block.sync();
  // One thread adds: 256 additions in shared memory, once a head.
  if (block.thread() == 0) {
    Number sum = 0;
    for (int t = 0; t < block.threads(); ++t) {
      const Number here = scratch[t];
      scratch[t] = sum;
      sum += here;
    }
    scratch[block.threads()] = sum;
  }
  block.sync();
  const Number before = scratch[block.thread()];
  total = scratch[block.threads()];
  block.sync();
  return before;
}

}  // namespace act::inline ACT_ABI::cuda::detail
