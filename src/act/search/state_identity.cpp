#include <act/error.hpp>
#include <act/search/state_identity.hpp>
#include <act/sqlite/database.hpp>
#include <act/sqlite/file_mark.hpp>

#include <optional>
#include <string>

namespace act::search {

std::optional<std::string> identity_in(sqlite::database& data, const std::string& path,
                                       const std::string& mend) {
  const std::optional<sqlite::file_mark> mark = sqlite::mark_of(data);
  if (!mark) return std::nullopt;
  if (mark->application != state_application)
    throw error(error_code::invalid_input, path, "is another program's database; " + mend);
  sqlite::statement has_search(data, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'search'");
  if (!has_search.step() || has_search.integer(0) == 0) return std::nullopt;
  sqlite::statement found(data, "SELECT format, identity FROM search");
  if (!found.step()) return std::nullopt;
  if (found.integer(0) != state_format) {
    throw error(error_code::mismatch, path,
                "has the format " + std::to_string(found.integer(0)) +
                    " of another version of act, this one's is " + std::to_string(state_format) + "; " +
                    mend);
  }
  return found.text(1);
}

}  // namespace act::search
