// Whose database a file is, and in which of its formats: two numbers of SQLite's header, before any table is
// read.
#pragma once

#include <act/sqlite/database.hpp>

#include <cstdint>
#include <optional>

namespace act::sqlite {

struct file_mark {
  std::int64_t application = 0;  ///< PRAGMA application_id
  std::int64_t format = 0;       ///< PRAGMA user_version
};

/// None where the file has no table yet. Throws `error` as a statement does.
[[nodiscard]] std::optional<file_mark> mark_of(database& data);

void mark(database& data, const file_mark& with);

}  // namespace act::sqlite
