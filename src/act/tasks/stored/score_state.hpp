// Scores that a comparison has so far, in an SQLite file: one that was killed goes on where it was.
//
// A score is found by what it depends on (score_identity.hpp), not by the files that it came from: other
// heads files, samples and tasks of the same model add to what is there. All scores of a file are of one
// model and one program: what these compute otherwise would differ in last bits, beside others unseen. Rows
// are written in transactions, so the file is whole at any moment.
//
// Tables: origin (what all scores have in common), pass and sample (identities), score (a row each).
#pragma once

#include <act/sqlite/database.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::tasks {

class score_state {
 public:
  /// What all scores of a file depend on, by name: "model" and its fingerprint, "revision" and so on.
  using origin = std::vector<std::pair<std::string, std::string>>;

  /// Opens or creates the file; ":memory:" keeps everything in memory. Throws `error` (io, invalid_input)
  /// for what can't be opened, is damaged or another program's, (mismatch) for another version's, and for
  /// another origin, of which it names what differs first. Messages say what else to do, calling the file
  /// `called`.
  score_state(const std::string& path, const origin& of, std::string_view called = "state");

  /// One sample's scores in one pass.
  struct row {
    std::string_view pass, sample;  ///< identities
    std::span<const double> scores;
  };

  /// The scores if they are there, `count` finite numbers. Throws `error` (invalid_input) for others.
  [[nodiscard]] std::optional<std::vector<double>> find(std::string_view pass, std::string_view sample,
                                                        std::size_t count);
  /// All of them or, where the program is killed, none. What is there is replaced.
  void save(std::span<const row> rows);

  /// Throws `error` (mismatch): a score that is stored came out otherwise.
  [[noreturn]] void other_scores() const;

 private:
  [[noreturn]] void damaged() const;

  std::string path_, called_;
  sqlite::database data_;
};

}  // namespace act::tasks
