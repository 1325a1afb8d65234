// Numbers with their uncertainty as JSON; what isn't defined is null.
#pragma once

#include <act/io/json_document.hpp>
#include <act/statistics/intervals.hpp>

#include <optional>

namespace act::report {

/// `[lo, hi]`.
[[nodiscard]] io::json_document interval_json(const statistics::interval& range);

[[nodiscard]] io::json_document or_null(const std::optional<double>& value);
[[nodiscard]] io::json_document or_null(const std::optional<statistics::interval>& range);

}  // namespace act::report
