// Numbers as tables and sentences show them.
#pragma once

#include <act/statistics/intervals.hpp>

#include <string>

namespace act::report {

/// One number by a printf pattern that takes one double: formatted("%.3g", p). At most 63 characters.
[[nodiscard]] std::string formatted(const char* pattern, double value);

/// A share as "12.5 %".
[[nodiscard]] std::string percent(double share);
/// An interval of shares in per cent, without the sign: "10.1 .. 14.9".
[[nodiscard]] std::string percent_range(const statistics::interval& range);

/// A difference of shares: "+1.5 %".
[[nodiscard]] std::string signed_percent(double share);
/// An interval of such differences: "-0.3 .. +3.3".
[[nodiscard]] std::string signed_percent_range(const statistics::interval& range);

}  // namespace act::report
