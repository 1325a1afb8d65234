#include <act/error.hpp>
#include <act/search/state.hpp>
#include <act/search/state_identity.hpp>
#include <act/search/stored_trials.hpp>
#include <act/sqlite/database.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::search {

namespace {

std::int64_t integer(std::size_t value) noexcept {
  return static_cast<std::int64_t>(value);
}

// What stands for a block in the table of units: the layer of its trials; -1 for the plain pass; below that
// estimates.
std::int64_t layer_code(const trial_block& block) noexcept {
  switch (block.kind) {
    case block_kind::plain:
      return -1;
    case block_kind::estimates:
      return -2 - integer(block.layer);
    case block_kind::trials:
      break;
  }
  return integer(block.layer);
}

// Trials and estimates lie in tables alike.
std::string table_of(const trial_block& block) {
  return block.kind == block_kind::estimates ? "attribution" : "trial";
}

search_work work_in(const sqlite::statement& row) {
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
    : path_(path), data_(path, "a search state") {
  const std::string choose_another = "choose another " + std::string(called) + " file";
  std::optional<std::string> theirs = identity_in(data_, path, choose_another);
  data_.execute("PRAGMA synchronous = NORMAL");
  if (!theirs) {
    sqlite::transaction whole(data_);  // so that of two that find it new one makes it
    theirs = identity_in(data_, path, choose_another);
    if (!theirs) create(identity);
    whole.commit();
  }
  if (theirs && *theirs != identity) {
    throw error(error_code::mismatch, path_,
                "is the state of another search (" + first_difference(*theirs, identity) +
                    "); give the options it was started with, or " + choose_another);
  }
  version_ = data_version();
}

void search_state::create(const std::string& identity) {
  data_.execute("PRAGMA application_id = " + std::to_string(state_application));
  data_.execute(
      "CREATE TABLE IF NOT EXISTS search (format INTEGER, identity TEXT);"
      "CREATE TABLE IF NOT EXISTS plain (sample INTEGER PRIMARY KEY, scores BLOB);"
      "CREATE TABLE IF NOT EXISTS unit (first_sample INTEGER, layer INTEGER, strength INTEGER,"
      " rows_computed INTEGER, rows_avoided INTEGER, trials INTEGER, without_sinks INTEGER,"
      " PRIMARY KEY (first_sample, layer, strength))");
  data_.execute("CREATE TABLE IF NOT EXISTS joint (heads TEXT PRIMARY KEY, scores BLOB)");
  for (const char* table : {"trial", "attribution"}) {
    data_.execute("CREATE TABLE IF NOT EXISTS " + std::string(table) +
                  " (sample INTEGER, layer INTEGER, strength INTEGER, head INTEGER, has_sinks INTEGER,"
                  " initial_mass REAL, scores BLOB, PRIMARY KEY (sample, layer, strength, head))"
                  " WITHOUT ROWID");
  }
  sqlite::statement(data_, "INSERT INTO search VALUES (?, ?)").bind(1, state_format).bind(2, identity).run();
}

std::int64_t search_state::data_version() {
  sqlite::statement version(data_, "PRAGMA data_version");
  (void)version.step();
  return version.integer(0);
}

void search_state::check_sole_writer() {
  if (data_version() == version_) return;
  throw error(
      error_code::io, path_,
      "is written by another process, too: the same search goes on there. This one ends, so that no trial "
      "is run twice; once that one has ended, the same command takes over what it found");
}

void search_state::also_from(stored_trials other) {
  others_.push_back(std::move(other));
}

std::optional<block_result> search_state::load(const trial_block& block,
                                               std::span<const tasks::prepared_sample> samples) {
  const std::optional<search_work> work = unit(block);
  if (!work) return from_others(block);
  block_result found;
  found.work = *work;
  const bool plain = block.kind == block_kind::plain;
  const std::size_t places = plain ? 1 : block.heads.size();
  sqlite::statement rows(data_,
                         plain ? "SELECT scores FROM plain WHERE sample >= ? AND sample < ? ORDER BY sample"
                               : "SELECT scores, has_sinks, head, initial_mass FROM " + table_of(block) +
                                     " WHERE sample >= ? AND sample < ? AND layer = ? AND strength = ? ORDER "
                                     "BY sample, head");
  rows.bind(1, integer(block.chunk.begin)).bind(2, integer(block.chunk.end));
  if (!plain) rows.bind(3, integer(block.layer)).bind(4, integer(block.strength));
  while (rows.step()) {
    const std::size_t sample = found.scores.size() / places;
    if (sample >= samples.size()) damaged();
    if (!plain) {
      if (rows.integer(2) != integer(block.heads[found.scores.size() % places])) damaged();
      found.has_sinks.push_back(rows.integer(1) != 0 ? 1 : 0);
      found.initial_mass.push_back(rows.real(3));
      if (!is_mass(found.initial_mass.back())) damaged();
    }
    found.scores.push_back(numbers(rows.blob(0), samples[sample].score_count()));
  }
  if (found.scores.size() != samples.size() * places) damaged();
  return found;
}

std::optional<block_result> search_state::from_others(const trial_block& block) {
  for (stored_trials& other : others_) {
    std::optional<block_result> found = other.find(block);
    if (!found) continue;
    save(block, *found);
    return found;
  }
  return std::nullopt;
}

void search_state::save(const trial_block& block, const block_result& result) {
  sqlite::transaction whole(data_);
  check_sole_writer();
  if (block.kind == block_kind::plain) {
    sqlite::statement insert(data_, "INSERT OR REPLACE INTO plain VALUES (?, ?)");
    for (std::size_t i = 0; i < result.scores.size(); ++i)
      insert.bind(1, integer(block.chunk.begin + i)).bind(2, result.scores[i]).run();
  } else {
    sqlite::statement insert(data_,
                             "INSERT OR REPLACE INTO " + table_of(block) + " VALUES (?, ?, ?, ?, ?, ?, ?)");
    const std::size_t places = block.heads.size();
    for (std::size_t i = 0; i < result.scores.size(); ++i) {
      insert.bind(1, integer(block.chunk.begin + i / places))
          .bind(2, integer(block.layer))
          .bind(3, integer(block.strength))
          .bind(4, integer(block.heads[i % places]))
          .bind(5, std::int64_t{result.has_sinks[i]})
          .bind(6, result.initial_mass[i])
          .bind(7, result.scores[i])
          .run();
    }
  }
  save_unit(block, result.work);
  whole.commit();
}

std::optional<std::vector<std::vector<double>>> search_state::load_joint(
    const std::string& heads, std::span<const tasks::prepared_sample> samples) {
  sqlite::statement row(data_, "SELECT scores FROM joint WHERE heads = ?");
  row.bind(1, std::string_view(heads));
  if (!row.step()) return std::nullopt;
  std::size_t count = 0;
  for (const tasks::prepared_sample& sample : samples)
    count += sample.score_count();
  const std::vector<double> all = numbers(row.blob(0), count);
  std::vector<std::vector<double>> scores;
  auto next = all.begin();
  for (const tasks::prepared_sample& sample : samples) {
    const auto end = next + static_cast<std::ptrdiff_t>(sample.score_count());
    scores.emplace_back(next, end);
    next = end;
  }
  return scores;
}

void search_state::save_joint(const std::string& heads, std::span<const std::vector<double>> scores) {
  std::vector<double> all;
  for (const std::vector<double>& each : scores)
    all.insert(all.end(), each.begin(), each.end());
  sqlite::transaction whole(data_);
  check_sole_writer();
  sqlite::statement(data_, "INSERT OR REPLACE INTO joint VALUES (?, ?)")
      .bind(1, std::string_view(heads))
      .bind(2, all)
      .run();
  whole.commit();
}

std::string heads_name(const head_set& heads, std::span<const double> strengths) {
  std::ostringstream text;
  text.precision(17);
  std::size_t number = 0;
  for (const layer_head& each : heads) {
    text << (number == 0 ? "" : " ") << each.layer << '.' << each.head;
    if (!strengths.empty()) text << '@' << strengths[number];
    ++number;
  }
  return text.str();
}

search_work search_state::total_work() {
  sqlite::statement sums(
      data_,
      // What estimates avoid is rows of trials, not of whole passes.
      "SELECT COALESCE(SUM(rows_computed), 0), COALESCE(SUM(CASE WHEN layer < -1 THEN 0 ELSE rows_avoided "
      "END), 0), COALESCE(SUM(trials), 0),"
      " COALESCE(SUM(without_sinks), 0) FROM unit");
  (void)sums.step();
  return work_in(sums);
}

void search_state::damaged() const {
  throw error(error_code::invalid_input, path_,
              "doesn't hold the trials that it says it holds; delete it to start again");
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

std::optional<search_work> search_state::unit(const trial_block& block) {
  sqlite::statement row(
      data_,
      "SELECT rows_computed, rows_avoided, trials, without_sinks FROM unit WHERE first_sample = "
      "? AND layer = ? AND strength = ?");
  row.bind(1, integer(block.chunk.begin)).bind(2, layer_code(block)).bind(3, integer(block.strength));
  if (!row.step()) return std::nullopt;
  return work_in(row);
}

void search_state::save_unit(const trial_block& block, const search_work& work) {
  sqlite::statement(data_, "INSERT OR REPLACE INTO unit VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(1, integer(block.chunk.begin))
      .bind(2, layer_code(block))
      .bind(3, integer(block.strength))
      .bind(4, static_cast<std::int64_t>(work.layer_rows_computed))
      .bind(5, static_cast<std::int64_t>(work.layer_rows_avoided))
      .bind(6, static_cast<std::int64_t>(work.trials))
      .bind(7, static_cast<std::int64_t>(work.trials_without_sinks))
      .run();
}

}  // namespace act::search
