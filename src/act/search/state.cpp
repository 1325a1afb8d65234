#include <act/error.hpp>
#include <act/search/sqlite.hpp>
#include <act/search/state.hpp>
#include <act/search/trials.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::search {

namespace {

constexpr std::int64_t format = 2;
constexpr std::int64_t application = 0x41435453;  // "ACTS" in the database's header
constexpr std::int64_t plain_pass = -1;           // the unit that isn't a layer

std::int64_t integer(std::size_t value) noexcept {
  return static_cast<std::int64_t>(value);
}

search_work work_in(const statement& row) {
  return {.layer_rows_computed = static_cast<std::uint64_t>(row.integer(0)),
          .layer_rows_avoided = static_cast<std::uint64_t>(row.integer(1)),
          .trials = static_cast<std::uint64_t>(row.integer(2)),
          .trials_without_sinks = static_cast<std::uint64_t>(row.integer(3))};
}

// "it has ..., this one ..." for the first line in which two identities differ.
std::string first_difference(const std::string& theirs, const std::string& ours) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < theirs.size() && i < ours.size() && theirs[i] == ours[i]; ++i) {
    if (theirs[i] == '\n') start = i + 1;
  }
  const auto line = [start](const std::string& text) {
    std::string found = text.substr(start, text.find('\n', start) - start);
    if (found.size() > 60) found = found.substr(0, 57) + "...";
    return found;
  };
  return "it has '" + line(theirs) + "', this one '" + line(ours) + "'";
}

}  // namespace

search_state::search_state(const std::string& path, const std::string& identity, std::string_view called)
    : path_(path), data_(path) {
  const std::string choose_another = "choose another " + std::string(called) + " file";
  refuse_foreign(choose_another);
  data_.execute("PRAGMA synchronous = NORMAL");
  data_.execute("PRAGMA application_id = " + std::to_string(application));
  data_.execute(
      "CREATE TABLE IF NOT EXISTS search (format INTEGER, identity TEXT);"
      "CREATE TABLE IF NOT EXISTS plain (sample INTEGER PRIMARY KEY, scores BLOB);"
      "CREATE TABLE IF NOT EXISTS unit (first_sample INTEGER, layer INTEGER, rows_computed INTEGER,"
      " rows_avoided INTEGER, trials INTEGER, without_sinks INTEGER, PRIMARY KEY (first_sample, layer));"
      "CREATE TABLE IF NOT EXISTS trial (sample INTEGER, layer INTEGER, head INTEGER, has_sinks INTEGER, "
      "scores BLOB,"
      " PRIMARY KEY (sample, layer, head)) WITHOUT ROWID");
  statement found(data_, "SELECT format, identity FROM search");
  if (!found.step()) {
    statement(data_, "INSERT INTO search VALUES (?, ?)").bind(1, format).bind(2, identity).run();
    return;
  }
  if (found.integer(0) != format) {
    throw error(error_code::mismatch, path_,
                "has the format " + std::to_string(found.integer(0)) +
                    " of another version of act, this one's is " + std::to_string(format) + "; " +
                    choose_another);
  }
  if (const std::string theirs = found.text(1); theirs != identity) {
    throw error(error_code::mismatch, path_,
                "is the state of another search (" + first_difference(theirs, identity) +
                    "); give the options it was started with, or " + choose_another);
  }
}

std::optional<std::vector<std::vector<double>>> search_state::plain(
    const sample_chunk& chunk, std::span<const tasks::prepared_sample> samples) {
  if (!unit(chunk, plain_pass)) return std::nullopt;
  statement rows(data_, "SELECT scores FROM plain WHERE sample >= ? AND sample < ? ORDER BY sample");
  rows.bind(1, integer(chunk.begin)).bind(2, integer(chunk.end));
  std::vector<std::vector<double>> scores;
  while (rows.step()) {
    if (scores.size() == samples.size()) damaged();
    const std::size_t count = samples[scores.size()].score_count();
    scores.push_back(numbers(rows.blob(0), count));
  }
  if (scores.size() != samples.size()) damaged();
  return scores;
}

void search_state::save_plain(const sample_chunk& chunk, const std::vector<std::vector<double>>& scores,
                              const search_work& work) {
  transaction whole(data_);
  statement insert(data_, "INSERT OR REPLACE INTO plain VALUES (?, ?)");
  for (std::size_t i = 0; i < scores.size(); ++i)
    insert.bind(1, integer(chunk.begin + i)).bind(2, scores[i]).run();
  save_unit(chunk, plain_pass, work);
  whole.commit();
}

std::optional<layer_trials> search_state::trials(const sample_chunk& chunk, std::size_t layer,
                                                 std::size_t heads,
                                                 std::span<const tasks::prepared_sample> samples) {
  const std::optional<search_work> work = unit(chunk, integer(layer));
  if (!work) return std::nullopt;
  statement rows(data_,
                 "SELECT has_sinks, scores FROM trial WHERE sample >= ? AND sample < ? AND layer = ?"
                 " ORDER BY sample, head");
  rows.bind(1, integer(chunk.begin)).bind(2, integer(chunk.end)).bind(3, integer(layer));
  layer_trials found;
  found.work = *work;
  while (rows.step()) {
    const std::size_t sample = found.scores.size() / heads;
    if (sample >= samples.size()) damaged();
    found.has_sinks.push_back(rows.integer(0) != 0 ? 1 : 0);
    found.scores.push_back(numbers(rows.blob(1), samples[sample].score_count()));
  }
  if (found.scores.size() != samples.size() * heads) damaged();
  return found;
}

void search_state::save_trials(const sample_chunk& chunk, std::size_t layer, std::size_t heads,
                               const layer_trials& trials) {
  transaction whole(data_);
  statement insert(data_, "INSERT OR REPLACE INTO trial VALUES (?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < trials.scores.size(); ++i) {
    insert.bind(1, integer(chunk.begin + i / heads))
        .bind(2, integer(layer))
        .bind(3, integer(i % heads))
        .bind(4, std::int64_t{trials.has_sinks[i]})
        .bind(5, trials.scores[i])
        .run();
  }
  save_unit(chunk, integer(layer), trials.work);
  whole.commit();
}

search_work search_state::total_work() {
  statement sums(
      data_,
      "SELECT COALESCE(SUM(rows_computed), 0), COALESCE(SUM(rows_avoided), 0), COALESCE(SUM(trials), 0),"
      " COALESCE(SUM(without_sinks), 0) FROM unit");
  (void)sums.step();
  return work_in(sums);
}

void search_state::damaged() const {
  throw error(error_code::invalid_input, path_,
              "doesn't hold the trials that it says it holds; delete it to start again");
}

void search_state::refuse_foreign(const std::string& choose_another) {
  statement tables(data_, "SELECT COUNT(*) FROM sqlite_master");
  statement owner(data_, "PRAGMA application_id");
  if (tables.step() && tables.integer(0) > 0 && owner.step() && owner.integer(0) != application) {
    throw error(error_code::invalid_input, path_, "is another program's database; " + choose_another);
  }
}

std::vector<double> search_state::numbers(std::span<const std::byte> bytes, std::size_t count) const {
  std::vector<double> values(count);
  if (bytes.size() != count * sizeof(double)) damaged();
  std::memcpy(values.data(), bytes.data(), bytes.size());
  for (const double value : values) {
    if (!std::isfinite(value)) damaged();
  }
  return values;
}

std::optional<search_work> search_state::unit(const sample_chunk& chunk, std::int64_t layer) {
  statement row(data_,
                "SELECT rows_computed, rows_avoided, trials, without_sinks FROM unit WHERE first_sample = "
                "? AND layer = ?");
  row.bind(1, integer(chunk.begin)).bind(2, layer);
  if (!row.step()) return std::nullopt;
  return work_in(row);
}

void search_state::save_unit(const sample_chunk& chunk, std::int64_t layer, const search_work& work) {
  statement(data_, "INSERT OR REPLACE INTO unit VALUES (?, ?, ?, ?, ?, ?)")
      .bind(1, integer(chunk.begin))
      .bind(2, layer)
      .bind(3, static_cast<std::int64_t>(work.layer_rows_computed))
      .bind(4, static_cast<std::int64_t>(work.layer_rows_avoided))
      .bind(5, static_cast<std::int64_t>(work.trials))
      .bind(6, static_cast<std::int64_t>(work.trials_without_sinks))
      .run();
}

}  // namespace act::search
