// What a store's scores say: of each model, task and number of shots every way of scoring with its
// uncertainty. Computing only: suite_tables.hpp and suite_page.hpp show it.
#pragma once

#include <act/io/json_document.hpp>
#include <act/suite/store.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/evaluate_answers.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace act::search {
struct heads_file;
}

namespace act::suite {

/// One way of scoring.
struct way_result {
  std::string method;    ///< "plain", "contextual", "batch", "domain", or the name of heads
  std::string map = {};  ///< "bias" or "linear", fitted on `fitted_on` labelled samples; empty: none
  std::size_t fitted_on = 0;
  std::size_t heads = 0;                                      ///< calibrated
  tasks::accuracy_summary summary = {};                       ///< of scored answers
  std::optional<tasks::accuracy_difference> difference = {};  ///< less plain
  tasks::answers_summary answers = {};                        ///< of generated answers
  std::optional<tasks::answers_difference> answers_difference = {};

  /// "ACT + linear".
  [[nodiscard]] std::string name() const { return map.empty() ? method : method + " + " + map; }
};

/// A model on a task with so many shots.
struct suite_result {
  std::string model;
  std::string task;               ///< as the suite calls it
  std::string kind;               ///< "classification", "multiple-choice", "own" or "generated"
  std::string task_of;            ///< which task it is
  std::size_t squad_version = 1;  ///< of generated answers
  bool with_other = false;        ///< greedy scoring: the answer can be none of the labels
  std::size_t shots = 0;
  std::size_t seeds = 1;         ///< runs with other shots, of which this is the mean
  std::size_t n = 0;             ///< samples that every way has scored
  std::size_t wanted = 0;        ///< samples there will be when the suite has run
  std::vector<way_result> ways;  ///< plain first

  [[nodiscard]] bool whole() const noexcept { return n == wanted; }
};

/// What a search found of each head, for a heat map.
struct searched_heads {
  std::string model, name;
  std::string task;  ///< empty: a search over several
  std::size_t layers = 0, heads = 0;
  std::size_t samples = 0;
  struct trial {
    std::size_t layer = 0, head = 0;
    long long net = 0;  ///< samples gained less lost
    double log_likelihood_gain = 0;
    bool picked = false;
  };
  std::vector<trial> trials;
};

/// Of a heads file: what its evidence says of each head; without trials where it says nothing. `name` and
/// `task` are what searches are called by.
[[nodiscard]] searched_heads searched_heads_of(const search::heads_file& file, std::string model,
                                               std::string name, std::string task);

struct suite_results {
  std::vector<suite_result> results;  ///< in the suite's order
  std::vector<searched_heads> searches;
  std::vector<std::string> builds;  ///< by which programs, JSON texts, each once
};

/// Of a suite's runs (stored_suite::id); those whose plain run has no sample yet are left out. Ways are
/// compared over the samples that all of them have. Deterministic: intervals resample by the suite's seed.
/// Throws error (invalid_input) for a damaged store.
[[nodiscard]] suite_results results_of(store& from, std::int64_t suite);

/// `{"results": [{"model", "task", "kind", "shots", "seeds", "n", "wanted", "ways": [{"method", "map",
/// "fitted_on", "heads", "summary", "difference"?}]}], "searches", "made_by"}`, summaries and differences as
/// act-eval's; of generated answers "answers" instead of "summary". Shares are fractions.
[[nodiscard]] io::json_document to_json(const suite_results& of);

}  // namespace act::suite
