// Which search a state file belongs to: what is read before anything else of it.
#pragma once

#include <act/sqlite/database.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace act::search {

/// Of the tables that state.cpp writes.
inline constexpr std::int64_t state_format = 3;

/// "ACTS" in the database's header.
inline constexpr std::int64_t state_application = 0x41435453;

/// The identity of the search that wrote the file (plan.hpp); none in a new one. `mend` ends the messages.
/// Throws `error` (invalid_input) for another program's database, (mismatch) for another format.
[[nodiscard]] std::optional<std::string> identity_in(sqlite::database& data, const std::string& path,
                                                     const std::string& mend);

/// Whether a stored number can be a mean of attention weights, which rounding may lift a little over 1.
[[nodiscard]] inline bool is_mass(double value) noexcept {
  return value >= 0 && value < 1.001;
}

}  // namespace act::search
