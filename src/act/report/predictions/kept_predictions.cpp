#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/report/predictions/kept_predictions.hpp>
#include <act/tasks/readers/json_lines.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace act::report {

namespace {

using tasks::json_record;

[[noreturn]] void another(const json_record& line, const std::string& what) {
  throw error(error_code::mismatch, line.place,
              what + "; leave --resume out, or give what that run was given");
}

// One way's scores in a line; with greedy scoring the other tokens' last.
std::vector<double> row_of(const json_record& line, const char* way, const tasks::prepared_sample& sample) {
  const json_record of = line.at(way);
  std::vector<double> scores;
  for (const json_record& each : of.items("scores"))
    scores.push_back(each.number());
  if (sample.greedy()) scores.push_back(of.at("other").number());
  if (scores.size() != sample.score_count()) another(line, "has other answers than this evaluation's");
  return scores;
}

bool same_prompt(const json_record& line, const tasks::prepared_sample& sample) {
  if (line.at("index").whole_number() != sample.index || line.at("label").whole_number() != sample.label)
    return false;
  const std::vector<json_record> tokens = line.items("prompt_tokens");
  if (tokens.size() != sample.prompt.size()) return false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].whole_number() != static_cast<std::uint64_t>(sample.prompt[i])) return false;
  }
  return true;
}

}  // namespace

std::vector<tasks::sample_scores> kept_scores(const io::text_file& lines, std::span<const asked_run> runs,
                                              bool calibrated) {
  std::vector<tasks::sample_scores> kept;
  tasks::for_each_json_line(lines, [&](const json_record& line) {
    if (kept.empty() || kept.back().plain.size() == runs[kept.size() - 1].samples.size()) {
      if (kept.size() == runs.size()) another(line, "is of a sample that this evaluation doesn't have");
      kept.emplace_back();
    }
    const asked_run& run = runs[kept.size() - 1];
    tasks::sample_scores& scores = kept.back();
    const tasks::prepared_sample& sample = run.samples[scores.plain.size()];
    const std::optional<std::uint64_t> seed =
        line.has("shot_seed") ? line.at("shot_seed").whole_number() : std::nullopt;
    if (seed != run.shot_seed || !same_prompt(line, sample))
      another(line, "is of another sample, or asked in another way, than this evaluation's");
    if (line.has("calibrated") != calibrated)
      another(line,
              calibrated ? "has no calibrated scores" : "has calibrated scores, and no heads are given");
    scores.with_other = sample.greedy();
    scores.plain.push_back(row_of(line, "baseline", sample));
    if (calibrated) scores.calibrated.push_back(row_of(line, "calibrated", sample));
  });
  return kept;
}

void check_same_evaluation(const io::text_file& result, const io::json_document& wanted,
                           std::span<const std::string_view> members) {
  const std::string ours = wanted.text();
  tasks::with_json_document({"this evaluation", ours}, [&](const json_record& asked) {
    tasks::with_json_document(result, [&](const json_record& kept) {
      for (const std::string_view member : members) {
        const std::string key(member);
        const bool same = asked.has(key) == kept.has(key) &&
                          (!asked.has(key) || asked.at(key).as_written() == kept.at(key).as_written());
        if (!same) another(kept, "is of another evaluation: its \"" + key + "\" differs");
      }
    });
  });
}

}  // namespace act::report
