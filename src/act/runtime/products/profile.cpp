#include <act/runtime/products/profile.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string_view>

namespace act::runtime {
namespace {

std::atomic<bool> counting{false};
std::mutex guard;
runtime_profile counted;

}  // namespace

std::string_view name_of(operation of) noexcept {
  constexpr std::array<std::string_view, operation_count> names{
      "query",      "keys, values",      "attention", "attention output", "feed-forward up",
      "activation", "feed-forward down", "norm",      "rotary",           "output"};
  return names[static_cast<std::size_t>(of)];
}

void start_profile() noexcept {
  const std::lock_guard lock(guard);
  counted = {};
  counting = true;
}

runtime_profile current_profile() noexcept {
  const std::lock_guard lock(guard);
  return counted;
}

profile_scope::profile_scope(operation of, double multiply_adds, double bytes) noexcept
    : of_(of), on_(counting.load(std::memory_order_relaxed)), multiply_adds_(multiply_adds), bytes_(bytes) {
  if (on_) begin_ = std::chrono::steady_clock::now();
}

profile_scope::profile_scope(operation of, std::size_t rows, const stored_matrix& weights) noexcept
    : of_(of), on_(counting.load(std::memory_order_relaxed)) {
  if (!on_) return;
  multiply_adds_ = static_cast<double>(rows) * static_cast<double>(weights.size());
  bytes_ = static_cast<double>(weights.bytes());
  begin_ = std::chrono::steady_clock::now();
}

profile_scope::~profile_scope() {
  if (!on_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const std::lock_guard lock(guard);
  operation_cost& cost = counted[static_cast<std::size_t>(of_)];
  ++cost.calls;
  cost.seconds += seconds;
  cost.multiply_adds += multiply_adds_;
  cost.bytes += bytes_;
}

}  // namespace act::runtime
