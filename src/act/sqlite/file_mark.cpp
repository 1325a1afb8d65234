#include <act/sqlite/file_mark.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace act::sqlite {

namespace {

std::int64_t number(database& data, const std::string& query) {
  statement row(data, query);
  return row.step() ? row.integer(0) : 0;
}

}  // namespace

std::optional<file_mark> mark_of(database& data) {
  if (number(data, "SELECT COUNT(*) FROM sqlite_master") == 0) return std::nullopt;
  return file_mark{.application = number(data, "PRAGMA application_id"),
                   .format = number(data, "PRAGMA user_version")};
}

void mark(database& data, const file_mark& with) {
  data.execute("PRAGMA application_id = " + std::to_string(with.application));
  data.execute("PRAGMA user_version = " + std::to_string(with.format));
}

}  // namespace act::sqlite
