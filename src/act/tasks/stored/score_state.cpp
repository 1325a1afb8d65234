#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/sqlite/file_mark.hpp>
#include <act/tasks/stored/score_state.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace act::tasks {

namespace {

constexpr std::int64_t state_format = 1;
constexpr std::int64_t state_application = 0x41435443;  // "ACTC" in the database's header

void create(sqlite::database& data, const score_state::origin& of) {
  sqlite::mark(data, {.application = state_application, .format = state_format});
  data.execute(
      "CREATE TABLE origin (name TEXT PRIMARY KEY, value TEXT);"
      "CREATE TABLE pass (id INTEGER PRIMARY KEY, identity TEXT UNIQUE);"
      "CREATE TABLE sample (id INTEGER PRIMARY KEY, identity TEXT UNIQUE);"
      "CREATE TABLE score (pass INTEGER, sample INTEGER, scores BLOB, PRIMARY KEY (pass, sample))"
      " WITHOUT ROWID;");
  sqlite::statement insert(data, "INSERT INTO origin VALUES (?, ?)");
  for (const auto& [name, value] : of)
    insert.bind(1, std::string_view(name)).bind(2, std::string_view(value)).run();
}

}  // namespace

score_state::score_state(const std::string& path, const origin& of, std::string_view called)
    : path_(path), called_(called), data_(path, "a state of scores") {
  const std::string choose_another = "choose another " + called_ + " file";
  data_.execute("PRAGMA synchronous = NORMAL");
  sqlite::transaction whole(data_);  // so that of two that find it new one makes it
  const std::optional<sqlite::file_mark> mark = sqlite::mark_of(data_);
  if (!mark) {
    create(data_, of);
    whole.commit();
    return;
  }
  if (mark->application != state_application) {
    throw error(error_code::invalid_input, path_,
                "is another program's database, or a search's state or a suite's store; " + choose_another);
  }
  if (mark->format != state_format) {
    throw error(error_code::mismatch, path_,
                "has the format " + std::to_string(mark->format) +
                    " of another version of act, this one's is " + std::to_string(state_format) + "; " +
                    choose_another);
  }
  for (const auto& [name, value] : of) {
    sqlite::statement theirs(data_, "SELECT value FROM origin WHERE name = ?");
    theirs.bind(1, std::string_view(name));
    if (!theirs.step()) damaged();
    if (theirs.text(0) != value) {
      throw error(error_code::mismatch, path_,
                  "has the scores of another " + name + ", '" + io::printable(theirs.text(0)) +
                      "', and this one is '" + io::printable(value) + "'; " + choose_another +
                      ", or delete it to start again");
    }
  }
}

std::optional<std::vector<double>> score_state::find(std::string_view pass, std::string_view sample,
                                                     std::size_t count) {
  sqlite::statement found(data_,
                          "SELECT scores FROM score WHERE pass = (SELECT id FROM pass WHERE identity = ?)"
                          " AND sample = (SELECT id FROM sample WHERE identity = ?)");
  found.bind(1, pass).bind(2, sample);
  if (!found.step()) return std::nullopt;
  const std::span<const std::byte> bytes = found.blob(0);
  if (bytes.size() != count * sizeof(double)) damaged();
  std::vector<double> scores(count);
  std::memcpy(scores.data(), bytes.data(), bytes.size());
  for (const double score : scores) {
    if (!std::isfinite(score)) damaged();
  }
  return scores;
}

void score_state::save(std::span<const row> rows) {
  sqlite::transaction whole(data_);
  sqlite::statement add_pass(data_, "INSERT OR IGNORE INTO pass (identity) VALUES (?)");
  sqlite::statement add_sample(data_, "INSERT OR IGNORE INTO sample (identity) VALUES (?)");
  sqlite::statement add_score(data_,
                              "INSERT OR REPLACE INTO score SELECT pass.id, sample.id, ? FROM pass, sample"
                              " WHERE pass.identity = ? AND sample.identity = ?");
  for (const row& each : rows) {
    add_pass.bind(1, each.pass).run();
    add_sample.bind(1, each.sample).run();
    add_score.bind(1, each.scores).bind(2, each.pass).bind(3, each.sample).run();
  }
  whole.commit();
}

void score_state::damaged() const {
  throw error(
      error_code::invalid_input, path_,
      "is damaged: its scores aren't those of its samples; delete it to start again, or choose another " +
          called_ + " file");
}

void score_state::other_scores() const {
  throw error(error_code::mismatch, path_,
              "has other scores of the same samples than this program computes; delete it to start again, or "
              "choose another " +
                  called_ + " file");
}

}  // namespace act::tasks
