// Numbers with their uncertainty as JSON; what isn't defined is null.
#pragma once

#include <act/statistics/intervals.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>

namespace act::report {

/// `[lo, hi]`.
[[nodiscard]] nlohmann::ordered_json interval_json(const statistics::interval& range);

[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<double>& value);
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<statistics::interval>& range);

}  // namespace act::report
