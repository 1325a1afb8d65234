#include <act/report/number_json.hpp>

namespace act::report {

io::json_document interval_json(const statistics::interval& range) {
  return io::json_document::array({range.lo, range.hi});
}

io::json_document or_null(const std::optional<double>& value) {
  if (!value) return nullptr;
  return *value;
}

io::json_document or_null(const std::optional<statistics::interval>& range) {
  if (!range) return nullptr;
  return interval_json(*range);
}

}  // namespace act::report
