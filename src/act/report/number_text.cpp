#include <act/report/number_text.hpp>

#include <cstdio>

namespace act::report {

std::string formatted(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string percent(double share) {
  return formatted("%.1f %%", 100 * share);
}

std::string percent_range(const statistics::interval& range) {
  return formatted("%.1f", 100 * range.lo) + " .. " + formatted("%.1f", 100 * range.hi);
}

std::string signed_percent(double share) {
  return formatted("%+.1f %%", 100 * share);
}

std::string signed_percent_range(const statistics::interval& range) {
  return formatted("%+.1f", 100 * range.lo) + " .. " + formatted("%+.1f", 100 * range.hi);
}

}  // namespace act::report
