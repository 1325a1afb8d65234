// How many blocks a search's state file holds, as another process sees it.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "temporary_folder.hpp"

namespace act_test {

// Units in a state file, or why it can't be read.
struct state_reading {
  int units = 0;
  std::string error;
};
inline state_reading read_state(const std::string& state, int flags) {
  sqlite3* data = nullptr;
  sqlite3_stmt* rows = nullptr;
  state_reading found;
  if (sqlite3_open_v2(state.c_str(), &data, flags, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(data, "SELECT COUNT(*) FROM unit", -1, &rows, nullptr) == SQLITE_OK &&
      sqlite3_step(rows) == SQLITE_ROW) {
    found.units = sqlite3_column_int(rows, 0);
  } else {
    found.error = sqlite3_errmsg(data);
  }
  sqlite3_finalize(rows);
  sqlite3_close(data);
  return found;
}

// Units that a state file holds while a search may be writing it; 0 while it can't be read.
inline int units_so_far(const std::string& state) {
  return read_state(state, SQLITE_OPEN_READONLY).units;
}

// Units that a search left, however it ended. A killed one leaves a journal that the next to open the file
// for writing rolls back: a copy is opened here, so that the next search has to do that itself.
inline int units_in(const std::string& state) {
  if (!std::filesystem::exists(state)) return 0;
  const temporary_folder folder;
  for (const char* part : {"", "-journal"}) {
    if (std::filesystem::exists(state + part))
      std::filesystem::copy_file(state + part, (folder / "copy").string() + part);
  }
  const state_reading found = read_state(folder / "copy", SQLITE_OPEN_READWRITE);
  INFO(state << ": " << found.error);
  REQUIRE((found.error.empty() || found.error == "no such table: unit"));
  return found.units;
}

}  // namespace act_test
