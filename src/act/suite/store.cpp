#include <act/error.hpp>
#include <act/sqlite/file_mark.hpp>
#include <act/suite/store.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace act::suite {

namespace {

constexpr std::int64_t store_format = 2;
constexpr std::int64_t store_application = 0x41435452;  // "ACTR" in the database's header

std::int64_t integer(std::size_t value) noexcept {
  return static_cast<std::int64_t>(value);
}

std::string absolute(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path found = std::filesystem::absolute(path, failed);
  return failed ? path : found.lexically_normal().string();
}

std::size_t count(std::int64_t value) noexcept {
  return value < 0 ? 0 : static_cast<std::size_t>(value);
}

// Throws unless the file is empty or a store of this version.
bool is_new(sqlite::database& data, const std::string& path) {
  const std::optional<sqlite::file_mark> mark = sqlite::mark_of(data);
  if (!mark) return true;
  if (mark->application != store_application) {
    throw error(error_code::invalid_input, path,
                "is another program's database, or a search's state, and no store of results; name another");
  }
  if (mark->format != store_format) {
    throw error(error_code::mismatch, path,
                "has the format " + std::to_string(mark->format) +
                    " of another version of act, this one's is " + std::to_string(store_format) +
                    "; name another");
  }
  return false;
}

}  // namespace

store::store(const std::string& path) : path_(path), data_(path, "a store of results") {
  data_.execute("PRAGMA synchronous = NORMAL");
  if (!is_new(data_, path)) return;
  sqlite::transaction whole(data_);
  sqlite::mark(data_, {.application = store_application, .format = store_format});
  data_.execute(
      "CREATE TABLE suite (id INTEGER PRIMARY KEY, path TEXT, ablation TEXT, ran INTEGER,"
      " UNIQUE (path, ablation));"
      "CREATE TABLE run (id INTEGER PRIMARY KEY, identity TEXT UNIQUE, cell TEXT, model TEXT, task TEXT,"
      " shots INTEGER, shot_seed INTEGER, method TEXT, record TEXT);"
      "CREATE TABLE member (suite INTEGER, run INTEGER, UNIQUE (suite, run));"
      "CREATE TABLE build (run INTEGER, made TEXT, date TEXT, PRIMARY KEY (run, made));"
      "CREATE TABLE score (run INTEGER, part INTEGER, sample INTEGER, label INTEGER, scores BLOB,"
      " PRIMARY KEY (run, part, sample)) WITHOUT ROWID;"
      "CREATE TABLE answer (run INTEGER, sample INTEGER, answerable INTEGER, exact_match REAL, f1 REAL,"
      " text TEXT, PRIMARY KEY (run, sample)) WITHOUT ROWID;"
      "CREATE TABLE heads (search TEXT PRIMARY KEY, model TEXT, name TEXT, task TEXT, file TEXT);");
  whole.commit();
}

store store::existing(const std::string& path) {
  std::error_code failed;
  const auto refuse = [&](const char* why) {
    throw error(error_code::io, path, std::string(why) + "; act-eval SUITE.toml makes a store of results");
  };
  if (std::filesystem::is_directory(path, failed)) refuse("is a folder");
  if (!std::filesystem::is_regular_file(path, failed)) refuse("isn't there");
  if (std::filesystem::is_empty(path, failed)) refuse("is empty");  // which would become a new store
  return store(path);
}

void store::damaged() const {
  throw error(error_code::invalid_input, path_,
              "is damaged: its scores don't fit; delete it and run the suite again");
}

std::int64_t store::open_suite(const std::string& path, const std::string& ablation) {
  const std::string file = absolute(path);
  sqlite::transaction whole(data_);
  sqlite::statement(data_,
                    "INSERT INTO suite (path, ablation, ran)"
                    " VALUES (?, ?, (SELECT COALESCE(MAX(ran), 0) + 1 FROM suite))"
                    " ON CONFLICT (path, ablation) DO UPDATE SET ran = excluded.ran")
      .bind(1, std::string_view(file))
      .bind(2, std::string_view(ablation))
      .run();
  whole.commit();
  return suites().front().id;
}

std::vector<stored_suite> store::suites() {
  std::vector<stored_suite> all;
  sqlite::statement rows(data_, "SELECT id, path, ablation FROM suite ORDER BY ran DESC");
  while (rows.step())
    all.push_back({.id = rows.integer(0), .path = rows.text(1), .ablation = rows.text(2)});
  return all;
}

std::optional<std::int64_t> store::find_run(const std::string& identity) {
  sqlite::statement row(data_, "SELECT id FROM run WHERE identity = ?");
  row.bind(1, std::string_view(identity));
  if (!row.step()) return std::nullopt;
  return row.integer(0);
}

std::int64_t store::open_run(std::int64_t suite, const stored_run& run, const std::string& made,
                             const std::string& date) {
  sqlite::transaction whole(data_);
  std::optional<std::int64_t> id = find_run(run.identity);
  if (id) {
    sqlite::statement(data_, "UPDATE run SET record = ? WHERE id = ?")
        .bind(1, std::string_view(run.record))
        .bind(2, *id)
        .run();
  } else {
    sqlite::statement(data_,
                      "INSERT INTO run (identity, cell, model, task, shots, shot_seed, method, record)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(1, std::string_view(run.identity))
        .bind(2, std::string_view(run.cell))
        .bind(3, std::string_view(run.model))
        .bind(4, std::string_view(run.task))
        .bind(5, integer(run.shots))
        .bind(6, integer(run.shot_seed))
        .bind(7, std::string_view(run.method))
        .bind(8, std::string_view(run.record))
        .run();
    id = find_run(run.identity);
    if (!id) damaged();
  }
  sqlite::statement(data_, "INSERT OR IGNORE INTO member VALUES (?, ?)").bind(1, suite).bind(2, *id).run();
  sqlite::statement(data_, "INSERT OR IGNORE INTO build VALUES (?, ?, ?)")
      .bind(1, *id)
      .bind(2, std::string_view(made))
      .bind(3, std::string_view(date))
      .run();
  whole.commit();
  return *id;
}

void store::retire(std::int64_t suite, const std::string& model, const std::string& task, std::size_t shots) {
  sqlite::statement(data_,
                    "DELETE FROM member WHERE suite = ? AND run IN"
                    " (SELECT id FROM run WHERE model = ? AND task = ? AND shots = ?)")
      .bind(1, suite)
      .bind(2, std::string_view(model))
      .bind(3, std::string_view(task))
      .bind(4, integer(shots))
      .run();
}

std::vector<stored_run> store::runs_of(std::int64_t suite) {
  std::vector<stored_run> runs;
  sqlite::statement rows(data_,
                         "SELECT id, cell, model, task, shots, shot_seed, method, record, identity"
                         " FROM run JOIN member ON run = id WHERE suite = ? ORDER BY member.rowid");
  rows.bind(1, suite);
  while (rows.step()) {
    runs.push_back({.id = rows.integer(0),
                    .identity = rows.text(8),
                    .cell = rows.text(1),
                    .model = rows.text(2),
                    .task = rows.text(3),
                    .shots = count(rows.integer(4)),
                    .shot_seed = count(rows.integer(5)),
                    .method = rows.text(6),
                    .record = rows.text(7)});
  }
  return runs;
}

std::vector<std::string> store::builds_of(std::int64_t run) {
  std::vector<std::string> builds;
  sqlite::statement rows(data_, "SELECT made FROM build WHERE run = ? ORDER BY rowid");
  rows.bind(1, run);
  while (rows.step())
    builds.push_back(rows.text(0));
  return builds;
}

std::vector<std::size_t> store::known(std::int64_t run, score_part part) {
  std::vector<std::size_t> samples;
  sqlite::statement rows(data_, "SELECT sample FROM score WHERE run = ? AND part = ? ORDER BY sample");
  rows.bind(1, run).bind(2, static_cast<std::int64_t>(part));
  while (rows.step())
    samples.push_back(count(rows.integer(0)));
  return samples;
}

std::map<std::size_t, scored_sample> store::scores(std::int64_t run, score_part part) {
  std::map<std::size_t, scored_sample> found;
  sqlite::statement rows(data_, "SELECT sample, label, scores FROM score WHERE run = ? AND part = ?");
  rows.bind(1, run).bind(2, static_cast<std::int64_t>(part));
  while (rows.step()) {
    const std::span<const std::byte> bytes = rows.blob(2);
    if (bytes.empty() || bytes.size() % sizeof(double) != 0) damaged();
    scored_sample one{.label = count(rows.integer(1)),
                      .scores = std::vector<double>(bytes.size() / sizeof(double))};
    std::memcpy(one.scores.data(), bytes.data(), bytes.size());
    for (const double score : one.scores) {
      if (!std::isfinite(score)) damaged();
    }
    if (one.label >= one.scores.size()) damaged();
    found.emplace(count(rows.integer(0)), std::move(one));
  }
  return found;
}

void store::save(std::int64_t run, score_part part, std::size_t sample, std::size_t label,
                 std::span<const double> scores) {
  sqlite::statement(data_, "INSERT OR REPLACE INTO score VALUES (?, ?, ?, ?, ?)")
      .bind(1, run)
      .bind(2, static_cast<std::int64_t>(part))
      .bind(3, integer(sample))
      .bind(4, integer(label))
      .bind(5, scores)
      .run();
}

std::map<std::size_t, stored_answer> store::answers(std::int64_t run) {
  std::map<std::size_t, stored_answer> found;
  sqlite::statement rows(data_, "SELECT sample, answerable, exact_match, f1, text FROM answer WHERE run = ?");
  rows.bind(1, run);
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  while (rows.step()) {
    const stored_answer one{.answerable = rows.integer(1) != 0,
                            .exact_match = rows.real(2),
                            .f1 = rows.real(3),
                            .text = rows.text(4)};
    if (!share(one.exact_match) || !share(one.f1)) damaged();
    found.emplace(count(rows.integer(0)), one);
  }
  return found;
}

void store::save(std::int64_t run, std::size_t sample, const stored_answer& answer) {
  sqlite::statement(data_, "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?)")
      .bind(1, run)
      .bind(2, integer(sample))
      .bind(3, std::int64_t{answer.answerable ? 1 : 0})
      .bind(4, answer.exact_match)
      .bind(5, answer.f1)
      .bind(6, std::string_view(answer.text))
      .run();
}

std::optional<std::string> store::found_heads(const std::string& search) {
  sqlite::statement row(data_, "SELECT file FROM heads WHERE search = ?");
  row.bind(1, std::string_view(search));
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

std::vector<found_heads_file> store::all_found_heads() {
  std::vector<found_heads_file> all;
  sqlite::statement rows(data_, "SELECT search, model, name, task, file FROM heads ORDER BY rowid");
  while (rows.step())
    all.push_back({.search = rows.text(0),
                   .model = rows.text(1),
                   .name = rows.text(2),
                   .task = rows.text(3),
                   .file = rows.text(4)});
  return all;
}

void store::save_heads(const std::string& search, const std::string& model, const std::string& name,
                       const std::string& task, const std::string& file) {
  sqlite::statement(data_, "INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?)")
      .bind(1, std::string_view(search))
      .bind(2, std::string_view(model))
      .bind(3, std::string_view(name))
      .bind(4, std::string_view(task))
      .bind(5, std::string_view(file))
      .run();
}

}  // namespace act::suite
