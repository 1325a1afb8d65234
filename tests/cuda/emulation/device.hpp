// A device played by the processor, for the kernels of include/act/cuda: their very bodies run here, each
// thread as a fiber, several blocks at a time.
//
// What it finds: wrong indices and sums; a barrier that not every thread of a block (a warp) reaches; waiting
// that never ends; reading what another thread hasn't written yet, as far as one of the orders shows it:
// threads and blocks take turns forwards, backwards, shuffled or by rank, and the results have to be the
// same to the bit. What it can't find: threads here only hand over at barriers, warp sums, pauses and
// counters, so a race between two such points is seen only as a difference between orders, and weak memory
// ordering (a missing fence) not at all. Fresh shared memory holds NaN patterns. compute-sanitizer on a
// device remains the judge: docs/cuda.md has the commands.
#pragma once

#include <act/cuda/reduction.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "cuda/emulation/fibers.hpp"

namespace act_test {

/// Who runs next. Starved: by ranks, which are drawn and lost at random, so that some threads and blocks fall
/// as far behind as barriers let them.
enum class turns { forwards, backwards, shuffled, starved };

class emulated_device;

/// What one thread sees of its block; the same interface as act::cuda::detail::device_block.
class emulated_block {
 public:
  emulated_block(emulated_device& device, std::size_t slot, int index, int thread)
      : device_(device), slot_(slot), index_(index), thread_(thread) {}

  [[nodiscard]] int index() const { return index_; }
  [[nodiscard]] int count() const;
  [[nodiscard]] int thread() const { return thread_; }
  [[nodiscard]] int threads() const;
  [[nodiscard]] void* shared() const;
  void sync();
  template <class Sums>
  [[nodiscard]] Sums warp_sum(const Sums& each);
  int add(int* counter, int n);
  int arrive(int* counter) { return add(counter, 1); }
  [[nodiscard]] int peek(const int* counter) const { return *counter; }
  void pause();

 private:
  emulated_device& device_;
  std::size_t slot_;
  int index_, thread_;
  int sums_ = 0;  // warp sums so far: two sets of slots take turns
};

/// A launcher (map_calibration.hpp) whose launches have run when they return.
class emulated_device {
 public:
  explicit emulated_device(turns order = turns::forwards, unsigned seed = 0, int resident = 3)
      : order_(order), random_(seed), resident_(resident) {}

  bool clear(void* memory, std::size_t bytes) {
    std::memset(memory, 0, bytes);
    return true;
  }
  template <class Kernel>
  [[nodiscard]] int resident_blocks(const Kernel&, int, int) const {
    return resident_;
  }

  [[nodiscard]] std::size_t cache_bytes() const { return 100000; }

  /// False when the kernel hangs.
  template <class Kernel>
  bool launch(const Kernel& kernel, int blocks, int threads, int shared_bytes) {
    ++launches_;
    threads_ = threads;
    blocks_ = blocks;
    const auto slots = static_cast<std::size_t>(std::min(blocks, resident_));
    const std::size_t count = slots * static_cast<std::size_t>(threads);
    if (pool_ == nullptr || fiber_count_ < count) {
      pool_ = std::make_unique<fibers>(count);
      fiber_count_ = count;
    }
    slots_.assign(slots, {});
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (order_ == turns::backwards) std::reverse(order.begin(), order.end());
    if (order_ == turns::starved) std::shuffle(order.begin(), order.end(), random_);
    int next = 0;
    for (std::size_t s = 0; s < slots; ++s)
      begin_block(kernel, s, next++, shared_bytes);
    std::size_t alive = slots;
    while (alive > 0) {
      if (order_ == turns::shuffled) std::shuffle(order.begin(), order.end(), random_);
      bool moved = false;
      for (std::size_t at = 0; at < count; ++at) {
        const std::size_t f = order[at];
        slot& of = slots_[f / static_cast<std::size_t>(threads)];
        thread_state& thread = of.threads[f % static_cast<std::size_t>(threads)];
        if (!of.alive || thread.ended || is_waiting(thread)) continue;
        const bool paused = thread.paused;
        thread.paused = false;
        released_ = false;
        pool_->resume(f);
        moved = moved || !paused || !thread.paused;
        if (!pool_->is_running(f)) {
          thread.ended = true;
          if (++of.ended == threads) {
            of.alive = false;
            if (next < blocks) {
              begin_block(kernel, f / static_cast<std::size_t>(threads), next++, shared_bytes);
            } else {
              --alive;
            }
          }
        }
        if (released_ && order_ == turns::starved) {  // the first in rank may go on, and someone falls behind
          const auto behind = static_cast<std::ptrdiff_t>(random_() % count);
          if (random_() % 4 == 0)
            std::rotate(order.begin() + behind, order.begin() + behind + 1, order.end());
          break;
        }
      }
      idle_ = moved ? 0 : idle_ + 1;
      if (idle_ > 3) {  // every thread waits for a barrier or a counter: it would forever
        idle_ = 0;
        pool_.reset();
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] int launches() const { return launches_; }

 private:
  friend class emulated_block;

  struct barrier {
    int arrived = 0, generation = 0;
  };
  struct thread_state {
    barrier* at = nullptr;  // waits until its generation is over
    int generation = 0;
    bool paused = false, ended = false;
  };
  using sum_bytes = std::array<std::byte, 16>;
  struct slot {
    bool alive = false;
    int ended = 0;
    barrier all;
    std::vector<barrier> warps;
    std::vector<thread_state> threads;
    std::array<std::vector<sum_bytes>, 2> sums;
    std::vector<double> shared;
  };

  static bool is_waiting(thread_state& thread) {
    if (thread.at == nullptr) return false;
    if (thread.at->generation == thread.generation) return true;
    thread.at = nullptr;
    return false;
  }

  template <class Kernel>
  void begin_block(const Kernel& kernel, std::size_t s, int index, int shared_bytes) {
    const auto threads = static_cast<std::size_t>(threads_);
    slot& of = slots_[s];
    of.alive = true;
    of.ended = 0;
    of.all = {};
    of.warps.assign((threads + 31) / 32, {});
    of.threads.assign(threads, {});
    of.sums[0].assign(threads, {});
    of.sums[1].assign(threads, {});
    of.shared.resize(static_cast<std::size_t>(shared_bytes) / sizeof(double) + 1);
    std::memset(of.shared.data(), 0xff, of.shared.size() * sizeof(double));
    for (std::size_t t = 0; t < threads; ++t) {
      pool_->start(s * threads + t, [this, &kernel, s, index, t] {
        emulated_block block(*this, s, index, static_cast<int>(t));
        kernel(block);
      });
    }
  }

  void wait(std::size_t s, int thread, barrier& at, int all) {
    if (++at.arrived == all) {
      at.arrived = 0;
      ++at.generation;
      released_ = true;
    } else {
      thread_state& state = slots_[s].threads[static_cast<std::size_t>(thread)];
      state.at = &at;
      state.generation = at.generation;
    }
    pool_->hand_over();
  }

  turns order_;
  std::mt19937 random_;
  bool released_ = false;  // a barrier, by the thread that ran last
  int resident_, threads_ = 0, blocks_ = 0, launches_ = 0, idle_ = 0;
  static inline std::unique_ptr<fibers> pool_;  // stacks are kept from one device to the next
  static inline std::size_t fiber_count_ = 0;
  std::vector<slot> slots_;
};

inline int emulated_block::threads() const {
  return device_.threads_;
}
inline int emulated_block::count() const {
  return device_.blocks_;
}
inline void* emulated_block::shared() const {
  return device_.slots_[slot_].shared.data();
}
inline void emulated_block::sync() {
  device_.wait(slot_, thread_, device_.slots_[slot_].all, device_.threads_);
}
inline void emulated_block::pause() {
  device_.slots_[slot_].threads[static_cast<std::size_t>(thread_)].paused = true;
  device_.pool_->hand_over();
}
inline int emulated_block::add(int* counter, int n) {
  const int before = *counter;
  *counter += n;
  device_.pool_->hand_over();
  return before;
}
// The butterfly of device_block: the same additions in the same order.
template <class Sums>
Sums emulated_block::warp_sum(const Sums& each) {
  static_assert(sizeof(Sums) <= sizeof(emulated_device::sum_bytes));
  auto& slot = device_.slots_[slot_];
  auto& sums = slot.sums[static_cast<std::size_t>(sums_++ % 2)];
  std::memcpy(sums[static_cast<std::size_t>(thread_)].data(), &each, sizeof each);
  const auto warp = static_cast<std::size_t>(thread_ / 32);
  device_.wait(slot_, thread_, slot.warps[warp], 32);
  std::array<Sums, 32> values;
  for (std::size_t lane = 0; lane < 32; ++lane)
    std::memcpy(&values[lane], sums[32 * warp + lane].data(), sizeof each);
  for (std::size_t apart = 16; apart > 0; apart /= 2) {
    const std::array<Sums, 32> before = values;
    for (std::size_t lane = 0; lane < 32; ++lane)
      values[lane] = before[lane] + before[lane ^ apart];
  }
  return values[static_cast<std::size_t>(thread_ % 32)];
}

}  // namespace act_test
