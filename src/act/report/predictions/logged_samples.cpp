#include <act/error.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/io/text_file.hpp>
#include <act/report/predictions/logged_samples.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace act::report {

namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw error(error_code::invalid_input, where, what);
}

// samples_TASK_2026-01-31T12-00-00.123456.jsonl, and without a date.
std::string task_of(const std::string& path) {
  const std::string name = std::filesystem::path(path).stem().string();
  constexpr std::string_view prefix = "samples_";
  if (!name.starts_with(prefix)) return {};
  const std::string task = name.substr(prefix.size());
  const std::size_t date = task.rfind('_');
  const bool is_dated = date != std::string::npos && task.size() > date + 5 && task[date + 5] == '-' &&
                        task.find_first_not_of("0123456789", date + 1) == date + 5;
  return is_dated ? task.substr(0, date) : task;
}

// What says right in one of lm-eval's lines.
std::string metric_of(const io::json_value& line, const std::string& where) {
  std::vector<std::string> names;
  if (const auto listed = line.find("metrics")) {
    for (const io::json_value& each : listed->items()) {
      if (each.text() != nullptr) names.push_back(*each.text());
    }
  }
  for (const char* usual : {"acc", "exact_match"}) {
    if (line.member(usual) && (names.empty() || std::count(names.begin(), names.end(), usual) > 0))
      return usual;
  }
  if (names.empty()) refuse(where, "names no metric (\"metrics\", or \"acc\"); say which with --metric");
  return names.front();
}

bool right_by_metric(const io::json_value& line, const std::string& metric, const std::string& where) {
  const auto value = line.find(metric);
  if (!value) refuse(where, "has no \"" + io::printable(metric) + "\"; say which metric with --metric");
  if (const auto truth = value->truth()) return *truth;
  const auto number = value->number();
  if (!number || (*number != 0 && *number != 1)) {
    refuse(where, "\"" + io::printable(metric) +
                      "\" isn't 0 or 1, so it doesn't say whether the sample is right; take another metric");
  }
  return *number == 1;
}

bool right_by_prediction(const io::json_value& line, const std::string& way, const std::string& where) {
  const auto answered = line.find(way), label = line.find("label");
  if (!answered || !label || !label->count())
    refuse(where, "has no \"" + io::printable(way) + "\" or no label");
  const auto prediction = answered->member("prediction");
  if (!prediction) refuse(where, "\"" + io::printable(way) + "\" has no prediction");
  return prediction->count() == label->count();
}

}  // namespace

logged_run parse_logged_run(std::string_view text, const std::string& name, const logged_choice& choice) {
  logged_run run{.name = name, .task = task_of(name), .metric = choice.metric, .samples = {}};
  std::optional<std::string> filter;
  if (!choice.filter.empty()) filter = choice.filter;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = name + ":" + std::to_string(number + 1);
    const io::json_tree tree = io::parse_json_tree(line, where);
    const io::json_value value = tree.root();
    const auto document = value.find("doc_id"), index = value.find("index");
    const std::optional<std::uint64_t> key = document ? document->count()
                                             : index  ? index->count()
                                                      : std::nullopt;
    if (!key) refuse(where, "is neither a sample of lm-eval (\"doc_id\") nor of act-eval (\"index\")");
    logged_sample sample;
    if (document) {
      const auto named = value.find("filter");
      const std::string of = named && named->text() != nullptr ? *named->text() : "";
      if (!filter) filter = of;
      if (of != *filter) continue;
      if (run.metric.empty()) run.metric = metric_of(value, where);
      sample.right = right_by_metric(value, run.metric, where);
      if (const auto hash = value.find("doc_hash"); hash && hash->text() != nullptr)
        sample.hash = *hash->text();
    } else {
      if (value.find("shot_seed"))
        refuse(where, "is one of several runs with examples; compare runs without --shots");
      if (run.metric.empty()) run.metric = value.find("calibrated") ? "calibrated" : "baseline";
      sample.right = right_by_prediction(value, run.metric, where);
    }
    if (!run.samples.emplace(*key, std::move(sample)).second)
      refuse(where, "sample " + std::to_string(*key) + " comes a second time");
  }
  if (run.samples.empty())
    refuse(name, "has no samples, or none of filter \"" + io::printable(filter.value_or("")) + "\"");
  return run;
}

std::vector<logged_run> read_logged_runs(const std::string& path, const logged_choice& choice) {
  if (!std::filesystem::is_directory(path)) {
    return {parse_logged_run(io::read_text_file(path).text, path, choice)};
  }
  std::map<std::string, std::string> latest;  // of each task
  for (const auto& each : std::filesystem::directory_iterator(path)) {
    const std::string file = each.path().string(), stem = each.path().stem().string();
    if (each.path().extension() != ".jsonl" || !stem.starts_with("samples_")) continue;
    std::string& known = latest[task_of(file)];
    known = std::max(known, file);
  }
  std::vector<logged_run> runs;
  for (const auto& [task, file] : latest)
    runs.push_back(parse_logged_run(io::read_text_file(file).text, file, choice));
  if (runs.empty()) refuse(path, "has no files samples_TASK.jsonl; lm-eval writes them with --log_samples");
  return runs;
}

}  // namespace act::report
