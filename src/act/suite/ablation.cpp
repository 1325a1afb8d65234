#include <act/error.hpp>
#include <act/report/number_text.hpp>
#include <act/suite/ablation.hpp>
#include <act/suite/toml_section.hpp>
#include <act/tasks/prompt_parts.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <utility>

namespace act::suite {

namespace {

using io::json_document;
using report::formatted;

constexpr std::array<ablation, 11> known{{
    {"method", "Table 6", "temperature and the inverse calibration instead"},
    {"redistribution", "Table 7", "where the mass taken from sinks goes"},
    {"alpha", "Table 8", "over how much of the uniform score a token is a sink"},
    {"beta", "Table 9", "what a sink keeps of its weight"},
    {"search-samples", "Table 10", "samples that heads are searched on"},
    {"share", "Table 11", "how many of the heads are calibrated, drawn at random"},
    {"rule", "", "relative, absolute and baseline-corrected thresholds"},
    {"min-visible-rows", "", "the last tokens, which few rows see, are no sinks"},
    {"transfer", "", "heads found on one task, calibrated on every other"},
    {"decoding", "", "generated tokens calibrated, or the prompt alone"},
    {"generated-sinks", "", "sinks among all tokens, or among the prompt's alone"},
}};

// Makes the settings of each of a suite's heads.
class setting_maker {
 public:
  setting_maker(const suite& from, const ablation& of)
      : from_(from), made_{.of = of, .made = from, .settings = {}} {
    made_.made.ablation = of.name;
    made_.made.heads.clear();
    made_.made.baselines = {};
    const std::filesystem::path store(from.store);
    made_.made.store =
        (store.parent_path() / (store.stem().string() + "-ablations" + store.extension().string())).string();
  }

  ablated_suite make() {
    if (from_.heads.empty()) refuse("has no [[heads]] whose settings could be compared; give some");
    for (const suite_heads& heads : from_.heads)
      add_all(heads);
    if (made_.settings.size() == bases_) {
      refuse(made_.of.name == "search-samples" || made_.of.name == "transfer"
                 ? "has no [heads.search], and what is compared is what searches find; give one"
             : of_generated() ? "has no task whose answers are generated; give one (squad)"
                              : "has no task that knows these settings");
    }
    leave_out_idle_tasks();
    return std::move(made_);
  }

 private:
  // Whether it is of generated answers alone.
  [[nodiscard]] bool of_generated() const {
    return made_.of.name == "decoding" || made_.of.name == "generated-sinks";
  }

  // Tasks that no setting runs on would be scored plain for nothing; not where searches may run on them.
  void leave_out_idle_tasks() {
    const std::vector<suite_heads>& all = made_.made.heads;
    if (std::any_of(all.begin(), all.end(),
                    [](const suite_heads& heads) { return heads.search.has_value(); }))
      return;
    std::erase_if(made_.made.tasks, [&](const suite_task& task) {
      return std::none_of(all.begin(), all.end(), [&](const suite_heads& heads) {
        return heads.tasks.empty() ||
               std::find(heads.tasks.begin(), heads.tasks.end(), task.name) != heads.tasks.end();
      });
    });
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw error(error_code::invalid_input, from_.path, "ablation " + std::string(made_.of.name) + ": " + why);
  }

  void add(const suite_heads& base, suite_heads heads, const std::string& setting) {
    // Heads of different models may go by one name, and are one row's.
    const bool there = std::any_of(made_.settings.begin(), made_.settings.end(),
                                   [&](const ablation_setting& each) { return each.heads == heads.name; });
    if (!there) made_.settings.push_back({.heads = heads.name, .base = base.name, .setting = setting});
    made_.made.heads.push_back(std::move(heads));
  }

  void add_base(const suite_heads& heads) {
    const std::size_t before = made_.settings.size();
    add(heads, heads, "as given");
    bases_ += made_.settings.size() - before;
  }

  // The entry with other options, on `tasks`; not where there are none.
  void add_options(const suite_heads& base, const std::string& setting, json_document options,
                   std::optional<std::vector<std::string>> tasks = {}) {
    suite_heads heads = base;
    heads.name += " (" + setting + ")";
    heads.varied = std::move(options);
    if (tasks) heads.tasks = std::move(*tasks);
    if (!tasks || !heads.tasks.empty()) add(base, std::move(heads), setting);
  }

  // Those of the entry's tasks that `keep` keeps.
  template <class Keep>
  [[nodiscard]] std::vector<std::string> tasks_of(const suite_heads& heads, const Keep& keep) const {
    std::vector<std::string> names;
    for (const suite_task& task : from_.tasks) {
      const bool among = heads.tasks.empty() ||
                         std::find(heads.tasks.begin(), heads.tasks.end(), task.name) != heads.tasks.end();
      if (among && keep(task)) names.push_back(task.name);
    }
    return names;
  }
  [[nodiscard]] std::vector<std::string> scored_tasks(const suite_heads& heads) const {
    return tasks_of(heads, [](const suite_task& task) { return !task.generates(); });
  }
  [[nodiscard]] std::vector<std::string> tasks_with(const suite_heads& heads, tasks::prompt_part part) const {
    return tasks_of(heads, [&](const suite_task& task) {
      if (task.generates()) return false;
      try {
        tasks::check_part(task.task, part);
      } catch (const error&) {
        return false;
      }
      return true;
    });
  }

  void add_all(const suite_heads& heads) {
    const std::string_view name = made_.of.name;
    if (name == "search-samples" || name == "transfer") {
      if (!heads.search) return;
    }
    if (name == "transfer") return add_transfers(heads);
    if (of_generated()) {
      suite_heads base = heads;
      base.tasks = tasks_of(heads, [](const suite_task& task) { return task.generates(); });
      if (base.tasks.empty()) return;
      add_base(base);
      suite_heads other = base;
      const std::string setting = name == "decoding" ? "prompt alone" : "the prompt's sinks";
      other.name += " (" + setting + ")";
      (name == "decoding" ? other.decoding : other.generated_sinks) = false;
      return add(base, std::move(other), setting);
    }
    add_base(heads);
    const auto option = [&](const char* key, double value) {
      add_options(heads, std::string(key) + " " + formatted("%g", value),
                  json_document::object({{key, value}}));
    };
    if (name == "method") {
      for (const char* each : {"temperature", "inverse-temperature", "inverse"})
        add_options(heads, each, json_document::object({{"redistribution", each}}), scored_tasks(heads));
    } else if (name == "redistribution") {
      add_options(heads, "uniform", json_document::object({{"redistribution", "uniform"}}),
                  scored_tasks(heads));
      for (const auto& [part, called] : {std::pair(tasks::prompt_part::question, "question"),
                                         std::pair(tasks::prompt_part::choices, "choices")}) {
        add_options(heads, std::string(called) + " only",
                    json_document::object({{"redistribution", "subset"}, {"subset", called}}),
                    tasks_with(heads, part));
      }
    } else if (name == "alpha") {
      for (const double value : {3.0, 7.0})
        option("alpha", value);
    } else if (name == "beta") {
      for (const double value : {0.7, 0.5, 0.3, 0.1})
        option("beta", value);
    } else if (name == "share") {
      for (const int share : {80, 60, 40}) {
        suite_heads part = heads;
        part.share = heads.share * share / 100;
        part.name += " (" + std::to_string(share) + " %)";
        add(heads, std::move(part), std::to_string(share) + " % of them");
      }
    } else if (name == "rule") {
      for (const double tau : {0.1, 0.15}) {
        add_options(heads, "absolute, tau " + formatted("%g", tau),
                    json_document::object({{"rule", "absolute"}, {"tau", tau}}));
      }
      add_options(heads, "baseline-corrected", json_document::object({{"rule", "baseline-corrected"}}));
    } else if (name == "min-visible-rows") {
      for (const std::size_t rows : {std::size_t{5}, std::size_t{10}, std::size_t{20}}) {
        add_options(heads, std::to_string(rows) + " rows",
                    json_document::object({{"min_visible_rows", rows}}));
      }
    } else if (name == "search-samples") {
      add_search_samples(heads);
    }
  }

  // A half and a quarter of the labelled samples of each task, in the order of the one that has most.
  void add_search_samples(const suite_heads& heads) {
    std::int64_t most = 0;
    for (const suite_task& task : from_.tasks) {
      const std::vector<std::string>& searched = heads.search->tasks;
      if (std::find(searched.begin(), searched.end(), task.name) != searched.end())
        most = std::max(most, task.labelled);
    }
    for (const std::int64_t part : {2, 4, 8}) {
      if (most / part < 2) continue;
      suite_heads fewer = heads;
      fewer.search->samples = most / part;
      const std::string setting = std::to_string(most / part) + " of " + std::to_string(most);
      fewer.name += " (" + setting + ")";
      add(heads, std::move(fewer), setting + " a task");
    }
  }

  // A search on each task alone, its heads calibrated on all.
  void add_transfers(const suite_heads& heads) {
    for (const std::string& task : heads.search->tasks) {
      suite_heads found = heads;
      found.search->tasks = {task};
      found.search->each_task = false;
      found.name += " (found on " + task + ")";
      add(heads, std::move(found), "found on " + task);
    }
  }

  const suite& from_;
  ablated_suite made_;
  std::size_t bases_ = 0;
};

const way_result* find_way(const suite_result& result, const std::string& method) {
  const auto at = std::find_if(result.ways.begin(), result.ways.end(), [&](const way_result& way) {
    return way.method == method && way.map.empty();
  });
  return at == result.ways.end() ? nullptr : &*at;
}

std::string signed_number(const char* pattern, double value) {
  const std::string text = formatted(pattern, value);
  return text.find_first_of("123456789") == std::string::npos && text.front() == '-' ? "+" + text.substr(1)
                                                                                     : text;
}

// The mean of differences over tasks, each with an interval: taken as independent, half the mean's width is
// the root of the halves' squares over their number.
class mean_difference {
 public:
  void add(double difference, const std::optional<statistics::interval>& interval) {
    sum_ += difference;
    ++count_;
    if (!interval) {
      sure_ = false;
      return;
    }
    squares_ += std::pow((interval->hi - interval->lo) / 2, 2);
  }
  // "+1.2", "-0.3 .. +2.7"; empty where there is none.
  [[nodiscard]] std::pair<std::string, std::string> text(const char* pattern, double factor) const {
    if (count_ == 0) return {};
    const auto count = static_cast<double>(count_);
    const double mean = sum_ / count, half = std::sqrt(squares_) / count;
    if (!sure_) return {signed_number(pattern, factor * mean), ""};
    return {signed_number(pattern, factor * mean), signed_number(pattern, factor * (mean - half)) + " .. " +
                                                       signed_number(pattern, factor * (mean + half))};
  }

 private:
  double sum_ = 0, squares_ = 0;
  std::size_t count_ = 0;
  bool sure_ = true;
};

std::string title_of(const ablation& of) {
  return (of.paper.empty() ? std::string("Open in the paper") : std::string(of.paper)) + ". " +
         std::string(of.name) + ": " + std::string(of.what);
}

template <class Value>
std::vector<Value> each_once(const std::vector<Value>& values) {
  std::vector<Value> once;
  for (const Value& value : values) {
    if (std::find(once.begin(), once.end(), value) == once.end()) once.push_back(value);
  }
  return once;
}

// Results of one kind, by model; the settings as rows.
struct chosen_results {
  std::vector<const suite_result*> all;
  std::vector<std::string> models, columns;  // a column: a task, with its shots where there are any

  chosen_results(const suite_results& from, bool generated) {
    for (const suite_result& each : from.results) {
      if ((each.kind == "generated") != generated) continue;
      all.push_back(&each);
      models.push_back(each.model);
      columns.push_back(column_of(each));
    }
    models = each_once(models);
    columns = each_once(columns);
  }
  static std::string column_of(const suite_result& result) {
    return result.task + (result.shots > 0 ? ", " + std::to_string(result.shots) + " shots" : "");
  }
  [[nodiscard]] const suite_result* at(const std::string& model, const std::string& column) const {
    const auto found = std::find_if(all.begin(), all.end(), [&](const suite_result* each) {
      return each->model == model && column_of(*each) == column;
    });
    return found == all.end() ? nullptr : *found;
  }
};

}  // namespace

std::span<const ablation> all_ablations() noexcept {
  return known;
}

std::string listed_ablations() {
  std::string text;
  for (const ablation& each : known) {
    std::string name(each.name), paper(each.paper.empty() ? "open" : each.paper);
    name.resize(std::max<std::size_t>(name.size(), 18), ' ');
    paper.resize(std::max<std::size_t>(paper.size(), 10), ' ');
    text += name + paper + std::string(each.what) + "\n";
  }
  return text;
}

ablated_suite ablated(const suite& from, std::string_view name) {
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const ablation& each) { return each.name == name; });
  if (found == known.end()) {
    std::vector<std::string> names;
    for (const ablation& each : known)
      names.emplace_back(each.name);
    throw error(error_code::invalid_option, "--ablation",
                "has no '" + std::string(name) + "'; " + suggestion(name, names));
  }
  return setting_maker(from, *found).make();
}

result_table ablation_table(const ablated_suite& of, const suite_results& results) {
  result_table table{
      .title = title_of(of.of), .header = {"Model", "Heads", "Setting"}, .names = 3, .rows = {}};
  const chosen_results chosen(results, false);
  table.header.insert(table.header.end(), chosen.columns.begin(), chosen.columns.end());
  table.header.insert(table.header.end(),
                      {"Avg.", "- plain", "95 % interval", "AUC", "- plain", "95 % interval"});
  const auto add = [&](const std::string& model, const ablation_setting* setting) {
    std::vector<std::string> row{model, setting == nullptr ? "" : setting->base,
                                 setting == nullptr ? "Vanilla" : setting->setting};
    double sum = 0, areas = 0;
    std::size_t count = 0, of_model = 0, with_area = 0;
    mean_difference accuracy, auc;
    for (const std::string& column : chosen.columns) {
      const suite_result* const result = chosen.at(model, column);
      of_model += result == nullptr ? 0 : 1;
      const way_result* const way =
          result == nullptr ? nullptr : find_way(*result, setting == nullptr ? "plain" : setting->heads);
      row.push_back(way == nullptr ? "" : formatted("%.2f", 100 * way->summary.accuracy));
      if (way == nullptr) continue;
      ++count;
      sum += way->summary.accuracy;
      if (way->summary.auc) {
        areas += *way->summary.auc;
        ++with_area;
      }
      if (!way->difference) continue;
      accuracy.add(way->difference->accuracy, way->difference->ci95);
      if (way->difference->auc) auc.add(*way->difference->auc, way->difference->auc_ci95);
    }
    if (count == 0) return;
    // Of another row's tasks an average says nothing; its differences are of its own tasks.
    const auto [more, more_range] = accuracy.text("%+.2f", 100);
    const auto [larger, larger_range] = auc.text("%+.3f", 1);
    row.push_back(count == of_model ? formatted("%.2f", 100 * sum / static_cast<double>(count)) : "");
    row.push_back(more);
    row.push_back(more_range);
    row.push_back(
        count == of_model && with_area == count ? formatted("%.3f", areas / static_cast<double>(count)) : "");
    row.push_back(larger);
    row.push_back(larger_range);
    table.rows.push_back(std::move(row));
  };
  for (const std::string& model : chosen.models) {
    add(model, nullptr);
    for (const ablation_setting& setting : of.settings)
      add(model, &setting);
  }
  return table;
}

result_table ablation_answers_table(const ablated_suite& of, const suite_results& results) {
  result_table table{.title = title_of(of.of) + " (generated answers)",
                     .header = {"Model", "Heads", "Setting", "Task", "n", "EM", "F1", "EM - plain",
                                "95 % interval", "F1 - plain", "95 % interval"},
                     .names = 4,
                     .rows = {}};
  const chosen_results chosen(results, true);
  const auto range = [](const std::optional<statistics::interval>& of_difference) {
    if (!of_difference) return std::string();
    return signed_number("%+.2f", 100 * of_difference->lo) + " .. " +
           signed_number("%+.2f", 100 * of_difference->hi);
  };
  for (const suite_result* result : chosen.all) {
    const auto add = [&](const ablation_setting* setting) {
      const way_result* const way = find_way(*result, setting == nullptr ? "plain" : setting->heads);
      if (way == nullptr) return;
      std::vector<std::string> row{result->model,
                                   setting == nullptr ? "" : setting->base,
                                   setting == nullptr ? "Vanilla" : setting->setting,
                                   result->task,
                                   std::to_string(result->n),
                                   formatted("%.2f", 100 * way->answers.all.exact_match),
                                   formatted("%.2f", 100 * way->answers.all.f1)};
      if (way->answers_difference) {
        const tasks::answers_difference& difference = *way->answers_difference;
        row.insert(row.end(),
                   {signed_number("%+.2f", 100 * difference.exact_match), range(difference.exact_match_ci95),
                    signed_number("%+.2f", 100 * difference.f1), range(difference.f1_ci95)});
      } else {
        row.resize(table.header.size());
      }
      table.rows.push_back(std::move(row));
    };
    add(nullptr);
    for (const ablation_setting& setting : of.settings)
      add(&setting);
  }
  return table;
}

}  // namespace act::suite
