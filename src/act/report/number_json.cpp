#include <act/report/number_json.hpp>

#include <nlohmann/json.hpp>

namespace act::report {

nlohmann::ordered_json interval_json(const statistics::interval& range) {
  return {range.lo, range.hi};
}

nlohmann::ordered_json or_null(const std::optional<double>& value) {
  if (!value) return nullptr;
  return *value;
}

nlohmann::ordered_json or_null(const std::optional<statistics::interval>& range) {
  if (!range) return nullptr;
  return interval_json(*range);
}

}  // namespace act::report
