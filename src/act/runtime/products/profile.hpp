// Where a model's time goes: seconds, operations and bytes of each kind of work, for --profile.
//
// Off, a scope costs one load. On, it takes the wall time of the thread that drives the layers, what its
// threads do for it included; scopes don't nest.
#pragma once

#include <act/runtime/products/stored_matrix.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace act::runtime {

enum class operation {
  query,
  key_value,
  attention,
  attention_output,
  up,
  activation,
  down,
  norm,
  rotary,
  output
};
inline constexpr std::size_t operation_count = 10;

/// "query", "keys, values", ...: for the table.
[[nodiscard]] std::string_view name_of(operation of) noexcept;

/// What one kind of work has taken.
struct operation_cost {
  std::uint64_t calls = 0;
  double seconds = 0;
  double multiply_adds = 0;
  double bytes = 0;  ///< of weights, or of keys and values, as often as they were read
};

using runtime_profile = std::array<operation_cost, operation_count>;

/// Counts from now on, from 0.
void start_profile() noexcept;
/// What was counted since then; zeros where nothing was started.
[[nodiscard]] runtime_profile current_profile() noexcept;

/// One piece of work, from construction to destruction. Several threads may have scopes at once: their times
/// add up.
class profile_scope {
 public:
  explicit profile_scope(operation of, double multiply_adds = 0, double bytes = 0) noexcept;
  /// A product of `rows` rows with `weights`.
  profile_scope(operation of, std::size_t rows, const stored_matrix& weights) noexcept;
  ~profile_scope();
  profile_scope(const profile_scope&) = delete;
  profile_scope& operator=(const profile_scope&) = delete;

 private:
  operation of_;
  bool on_;
  double multiply_adds_ = 0, bytes_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace act::runtime
