// Which samples of a task a run answered right, as files of such runs have it: act-eval's predictions, and
// what lm-eval writes with --log_samples. For comparing runs, whoever made them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace act::report {

struct logged_sample {
  bool right = false;
  std::string hash;  ///< lm-eval's of the sample; empty: none
};

/// One run over one task.
struct logged_run {
  std::string name;    ///< the file's
  std::string task;    ///< of the file's name samples_TASK_DATE.jsonl, else empty
  std::string metric;  ///< what says right: lm-eval's metric, or "baseline" or "calibrated" of act-eval
  std::map<std::uint64_t, logged_sample> samples;  ///< by lm-eval's doc_id, act-eval's index
};

/// Which of several answers in a file count; empty: the only one, or as said below.
struct logged_choice {
  std::string metric;  ///< empty: acc, else exact_match, else the line's first; of act-eval's calibrated,
                       ///< where there is one
  std::string filter;  ///< lm-eval's; empty: that of the file's first line
};

/// Reads a file's text, a JSON object a line. Throws error (invalid_input), with the line, for what isn't
/// such a line, a metric that isn't 0 or 1 (it says how much, not whether), a sample that comes twice, and a
/// file without samples.
[[nodiscard]] logged_run parse_logged_run(std::string_view text, const std::string& name,
                                          const logged_choice& choice = {});

/// The run of a file, or of each file samples_*.jsonl in a folder, by name: of each task one, the latest by
/// lm-eval's date in the name. Throws error (io) too, and invalid_input for a folder without such files.
[[nodiscard]] std::vector<logged_run> read_logged_runs(const std::string& path,
                                                       const logged_choice& choice = {});

}  // namespace act::report
