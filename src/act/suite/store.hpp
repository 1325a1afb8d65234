// Where a suite's results are kept, in an SQLite file: every sample's scores, and of each run what it takes
// to repeat it. Written in transactions of a few samples, so a run that was killed goes on where it was, and
// ends with the same scores, bit for bit: those of a sample don't depend on which others it runs with, but
// in a batch of a few (score_samples.hpp), and batches are stored whole.
//
// Tables (docs/suite.md): suite (a row a suite, or an ablation of one), run (a row a run), member (which runs
// are a suite's), score (a row a sample and run), answer (a row a generated answer), heads (what searches
// have found). Everything act-report shows is made from them.
#pragma once

#include <act/sqlite/database.hpp>
#include <act/statistics/auc.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::suite {

/// What a row of scores is of.
enum class score_part {
  scored,    ///< a sample of the task
  labelled,  ///< a labelled sample, which maps are fitted on
  prior,     ///< the prompt without content of a scored sample
  domain,    ///< a prompt of random words
};

/// A suite whose results are there.
struct stored_suite {
  std::int64_t id = 0;
  std::string path;      ///< of its file, absolute
  std::string ablation;  ///< of which ablation; empty: the suite itself

  /// "/home/me/suite.toml, ablation beta".
  [[nodiscard]] std::string name() const { return path + (ablation.empty() ? "" : ", ablation " + ablation); }
};

/// A run: one model, one task with so many shots drawn by one seed, one way of calibrating.
struct stored_run {
  std::int64_t id = 0;
  std::string identity;  ///< a hash of all that its scores depend on
  std::string cell;      ///< the same for runs whose samples and prompts are the same: they can be compared
  std::string model;
  std::string task;
  std::size_t shots = 0;
  std::size_t shot_seed = 0;
  std::string method;  ///< "plain", or the name of a [[heads]] entry
  std::string record;  ///< JSON: all that it takes to repeat it, and where its files lay the last time
};

/// One sample's scores.
struct scored_sample {
  std::size_t label = 0;
  std::vector<double> scores;
};

/// One question's generated answer.
struct stored_answer {
  bool answerable = true;
  double exact_match = 0, f1 = 0;
  std::string text;
};

/// What a search gave.
struct found_heads_file {
  std::string search;       ///< what the search depends on
  std::string model, name;  ///< of the suite
  std::string task;         ///< empty: a search over several
  std::string file;         ///< the heads file's text
};

class store {
 public:
  /// Opens or creates the file. Throws error (io, invalid_input) for what can't be opened or is another
  /// program's, (mismatch) for another version's.
  explicit store(const std::string& path);
  /// The same for a file that must be there.
  [[nodiscard]] static store existing(const std::string& path);

  /// The suite's row, a new one where it has none yet; it is then the one that ran last. `path` is made
  /// absolute.
  [[nodiscard]] std::int64_t open_suite(const std::string& path, const std::string& ablation);
  /// All, the one that ran last first.
  [[nodiscard]] std::vector<stored_suite> suites();

  /// The run with this identity, if it is there.
  [[nodiscard]] std::optional<std::int64_t> find_run(const std::string& identity);
  /// The run's row, now one of the suite's: the one that is there with this identity, its record replaced, or
  /// a new one. `made`: by what program, JSON; kept with `date` beside those of earlier ones.
  [[nodiscard]] std::int64_t open_run(std::int64_t suite, const stored_run& run, const std::string& made,
                                      const std::string& date);
  /// Those of the model, task and shots are no longer the suite's until they are opened again.
  void retire(std::int64_t suite, const std::string& model, const std::string& task, std::size_t shots);
  /// The suite's runs in the order in which it opened them the last time.
  [[nodiscard]] std::vector<stored_run> runs_of(std::int64_t suite);
  /// By which builds its samples were scored, JSON texts.
  [[nodiscard]] std::vector<std::string> builds_of(std::int64_t run);

  /// Which samples are there, in ascending order.
  [[nodiscard]] std::vector<std::size_t> known(std::int64_t run, score_part part);
  [[nodiscard]] std::map<std::size_t, scored_sample> scores(std::int64_t run, score_part part);
  void save(std::int64_t run, score_part part, std::size_t sample, std::size_t label,
            std::span<const double> scores);

  [[nodiscard]] std::map<std::size_t, stored_answer> answers(std::int64_t run);
  void save(std::int64_t run, std::size_t sample, const stored_answer& answer);

  /// The heads file that a search gave, by what it depends on.
  [[nodiscard]] std::optional<std::string> found_heads(const std::string& search);
  [[nodiscard]] std::vector<found_heads_file> all_found_heads();
  void save_heads(const std::string& search, const std::string& model, const std::string& name,
                  const std::string& task, const std::string& file);

  [[nodiscard]] sqlite::transaction begin() { return sqlite::transaction(data_); }

 private:
  [[noreturn]] void damaged() const;

  std::string path_;
  sqlite::database data_;
};

}  // namespace act::suite
