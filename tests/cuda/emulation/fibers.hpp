// Threads that take turns: each runs until it hands over, and what runs next is decided here, so that a run
// can be repeated, and repeated in another order. For the emulated device; not for concurrency.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define ACT_TEST_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ACT_TEST_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(ACT_TEST_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace act_test {

/// A pool of stacks, each running one job at a time.
class fibers {
 public:
  explicit fibers(std::size_t count) : fibers_(count) {
    for (fiber& each : fibers_)
      each.stack = std::make_unique_for_overwrite<char[]>(stack_bytes);
  }
  fibers(const fibers&) = delete;
  fibers& operator=(const fibers&) = delete;

  /// Prepares `job` on fiber `index`, which must be idle. Nothing runs yet.
  void start(std::size_t index, std::function<void()> job) {
    fiber& each = fibers_[index];
    each.job = std::move(job);
    each.running = true;
    each.entered = false;
    getcontext(&each.context);
    each.context.uc_stack.ss_sp = each.stack.get();
    each.context.uc_stack.ss_size = stack_bytes;
    each.context.uc_link = nullptr;
    const auto self = reinterpret_cast<std::size_t>(this);
    makecontext(&each.context, reinterpret_cast<void (*)()>(&fibers::enter), 3, static_cast<unsigned>(self),
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(index));
  }

  [[nodiscard]] bool is_running(std::size_t index) const { return fibers_[index].running; }

  /// Runs fiber `index` until it hands over or ends.
  void resume(std::size_t index) {
    fiber& each = fibers_[index];
    current_ = index;
#if defined(ACT_TEST_ADDRESS_SANITIZER)
    void* own = nullptr;
    __sanitizer_start_switch_fiber(&own, each.stack.get(), stack_bytes);
#endif
    // Jumps, once a fiber has its stack: a change of context proper asks the kernel for the signal mask each
    // time.
    if (_setjmp(scheduler_) == 0) {
      if (each.entered) _longjmp(each.place, 1);
      each.entered = true;
      setcontext(&each.context);
    }
#if defined(ACT_TEST_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(own, nullptr, nullptr);
#endif
  }

  /// Called on a fiber: back to whoever resumed it.
  void hand_over() {
    fiber& each = fibers_[current_];
#if defined(ACT_TEST_ADDRESS_SANITIZER)
    void* own = nullptr;
    __sanitizer_start_switch_fiber(&own, caller_stack_, caller_size_);
#endif
    if (_setjmp(each.place) == 0) _longjmp(scheduler_, 1);
#if defined(ACT_TEST_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(own, &caller_stack_, &caller_size_);
#endif
  }

 private:
  static constexpr std::size_t stack_bytes = std::size_t{64} << 10;

  struct fiber {
    std::unique_ptr<char[]> stack;
    ucontext_t context{};
    std::jmp_buf place{};
    bool entered = false;
    std::function<void()> job;
    bool running = false;
  };

  static void enter(unsigned low, unsigned high, unsigned index) {
    auto* const self = reinterpret_cast<fibers*>(std::size_t{low} | std::size_t{high} << 32);
    fiber& each = self->fibers_[index];
#if defined(ACT_TEST_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(nullptr, &self->caller_stack_, &self->caller_size_);
#endif
    each.job();
    each.running = false;
#if defined(ACT_TEST_ADDRESS_SANITIZER)
    __sanitizer_start_switch_fiber(nullptr, self->caller_stack_, self->caller_size_);
#endif
    _longjmp(self->scheduler_, 1);
  }

  std::vector<fiber> fibers_;
  std::jmp_buf scheduler_{};
  std::size_t current_ = 0;
#if defined(ACT_TEST_ADDRESS_SANITIZER)
  const void* caller_stack_ = nullptr;
  std::size_t caller_size_ = 0;
#endif
};

}  // namespace act_test
