#include <act/report/number_text.hpp>
#include <act/report/table.hpp>
#include <act/suite/suite_tables.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace act::suite {

namespace {

using report::formatted;

std::string setting_of(std::size_t shots) {
  return std::to_string(shots) + "-shot";
}

// As the paper calls the plain model.
std::string method_of(const way_result& way) {
  const std::string method = way.method == "plain" ? "Vanilla" : way.method;
  return way.map.empty() ? method : method + " + " + way.map;
}

// Calibrated heads without a map: what the paper's "Improv." is of.
bool is_heads(const way_result& way) {
  return way.map.empty() && way.method != "plain" && way.method != "contextual" && way.method != "batch" &&
         way.method != "domain";
}

// Plain, what needs no change of the model, then heads, as they come.
std::vector<std::string> way_names(std::span<const suite_result* const> results) {
  std::vector<std::string> names;
  std::vector<std::pair<int, std::string>> ranked;
  for (const suite_result* result : results) {
    for (const way_result& way : result->ways) {
      const std::string name = way.name();
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      names.push_back(name);
      ranked.emplace_back(way.heads > 0 || is_heads(way) ? 1 : 0, name);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  names.clear();
  for (auto& [rank, name] : ranked)
    names.push_back(std::move(name));
  return names;
}

const way_result* find_way(const suite_result& result, const std::string& name) {
  const auto at = std::find_if(result.ways.begin(), result.ways.end(),
                               [&](const way_result& way) { return way.name() == name; });
  return at == result.ways.end() ? nullptr : &*at;
}

// Each once, in their order.
template <class Value, class Of>
std::vector<Value> distinct(std::span<const suite_result* const> results, Of&& of) {
  std::vector<Value> values;
  for (const suite_result* each : results) {
    if (const Value value = of(*each); std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(value);
  }
  return values;
}

std::string hundred(double share) {
  return formatted("%.2f", 100 * share);
}

std::string signed_hundred(double share) {
  // No minus before what rounds to nothing.
  const std::string text = formatted("%+.2f", 100 * share);
  return text == "-0.00" ? "+0.00" : text;
}

// Tables 2 and 4: rows of models, settings and ways, columns of tasks.
class accuracy_table {
 public:
  accuracy_table(std::string title, std::vector<const suite_result*> results) : results_(std::move(results)) {
    table_.title = std::move(title);
    table_.names = 3;
    tasks_ = distinct<std::string>(results_, [](const suite_result& each) { return each.task; });
    table_.header = {"Model", "Setting", "Method"};
    table_.header.insert(table_.header.end(), tasks_.begin(), tasks_.end());
    table_.header.emplace_back("Avg.");
    for (const std::string& model :
         distinct<std::string>(results_, [](const auto& each) { return each.model; })) {
      for (const std::size_t shots : shots_of(model))
        add(model, shots);
    }
  }

  [[nodiscard]] result_table made() && { return std::move(table_); }

 private:
  [[nodiscard]] std::vector<std::size_t> shots_of(const std::string& model) const {
    std::set<std::size_t> shots;
    for (const suite_result* each : results_) {
      if (each->model == model) shots.insert(each->shots);
    }
    return {shots.begin(), shots.end()};
  }

  void add(const std::string& model, std::size_t shots) {
    std::vector<const suite_result*> group;
    for (const suite_result* each : results_) {
      if (each->model == model && each->shots == shots) group.push_back(each);
    }
    const std::vector<std::string> names = way_names(group);
    const auto accuracy = [&](const std::string& task, const std::string& name) -> std::optional<double> {
      for (const suite_result* each : group) {
        if (each->task != task) continue;
        if (const way_result* way = find_way(*each, name)) return way->summary.accuracy;
      }
      return std::nullopt;
    };
    const auto add_row = [&](const std::string& method, const auto& value, const auto& text) {
      std::vector<std::string> row{model, setting_of(shots), method};
      double sum = 0;
      std::size_t there = 0;
      for (const std::string& task : tasks_) {
        const std::optional<double> number = value(task);
        row.push_back(number ? text(*number) : "");
        sum += number.value_or(0);
        there += number ? 1 : 0;
      }
      // Of another row's tasks an average says nothing.
      row.push_back(there == group.size() && there > 0 ? text(sum / static_cast<double>(there)) : "");
      table_.rows.push_back(std::move(row));
    };
    for (const std::string& name : names) {
      const way_result* any = nullptr;
      for (const suite_result* each : group)
        any = any == nullptr ? find_way(*each, name) : any;
      add_row(
          method_of(*any), [&](const std::string& task) { return accuracy(task, name); }, hundred);
      if (!is_heads(*any)) continue;
      add_row(
          "Improv.",
          [&](const std::string& task) -> std::optional<double> {
            const auto calibrated = accuracy(task, name), plain = accuracy(task, "plain");
            if (!calibrated || !plain) return std::nullopt;
            return *calibrated - *plain;
          },
          signed_hundred);
    }
  }

  std::vector<const suite_result*> results_;
  std::vector<std::string> tasks_;
  result_table table_;
};

// Table 3: MMLU, models side by side.
result_table mmlu_table(const std::vector<const suite_result*>& results) {
  result_table table{
      .title = "Table 3. Different models on MMLU", .header = {"Setting", "Method"}, .names = 2, .rows = {}};
  const auto columns = distinct<std::string>(results, [](const auto& each) { return each.model; });
  const auto names = distinct<std::string>(results, [](const auto& each) { return each.task; });
  for (const std::string& name : columns)
    table.header.push_back(name);
  table.header.emplace_back("Average");
  std::set<std::size_t> all_shots;
  for (const suite_result* each : results)
    all_shots.insert(each->shots);
  for (const std::string& task : names) {
    for (const std::size_t shots : all_shots) {
      std::vector<const suite_result*> group;
      for (const suite_result* each : results) {
        if (each->shots == shots && each->task == task) group.push_back(each);
      }
      const auto add_row = [&](const std::string& method, const auto& value, const auto& text) {
        std::vector<std::string> row{(names.size() > 1 ? task + ", " : "") + setting_of(shots), method};
        double sum = 0;
        std::size_t there = 0;
        for (const std::string& model : columns) {
          std::optional<double> number;
          for (const suite_result* each : group) {
            if (each->model == model) number = value(*each);
          }
          row.push_back(number ? text(*number) : "");
          sum += number.value_or(0);
          there += number ? 1 : 0;
        }
        row.push_back(there == columns.size() ? text(sum / static_cast<double>(there)) : "");
        table.rows.push_back(std::move(row));
      };
      for (const std::string& name : way_names(group)) {
        const way_result* any = nullptr;
        for (const suite_result* each : group)
          any = any == nullptr ? find_way(*each, name) : any;
        add_row(
            method_of(*any),
            [&](const suite_result& each) -> std::optional<double> {
              const way_result* way = find_way(each, name);
              return way == nullptr ? std::nullopt : std::optional(way->summary.accuracy);
            },
            hundred);
        if (!is_heads(*any)) continue;
        add_row(
            "Improv.",
            [&](const suite_result& each) -> std::optional<double> {
              const way_result* way = find_way(each, name);
              return way == nullptr || !way->difference ? std::nullopt
                                                        : std::optional(way->difference->accuracy);
            },
            signed_hundred);
      }
    }
  }
  return table;
}

// Table 5: exact match / F1.
result_table generated_table(const std::vector<const suite_result*>& results) {
  result_table table{.title = "Table 5. Open-ended question answering (exact match / F1)",
                     .header = {"Model", "Setting", "Method"},
                     .names = 3,
                     .rows = {}};
  const auto tasks = distinct<std::string>(results, [](const auto& each) { return each.task; });
  table.header.insert(table.header.end(), tasks.begin(), tasks.end());
  for (const std::string& model :
       distinct<std::string>(results, [](const auto& each) { return each.model; })) {
    std::set<std::size_t> all_shots;
    for (const suite_result* each : results) {
      if (each->model == model) all_shots.insert(each->shots);
    }
    for (const std::size_t shots : all_shots) {
      std::vector<const suite_result*> group;
      for (const suite_result* each : results) {
        if (each->model == model && each->shots == shots) group.push_back(each);
      }
      for (const std::string& name : way_names(group)) {
        std::vector<std::string> row{model, setting_of(shots), name == "plain" ? "Vanilla" : name};
        std::vector<std::string> better{model, setting_of(shots), "Improv."};
        for (const std::string& task : tasks) {
          const auto at =
              std::find_if(group.begin(), group.end(), [&](const auto* each) { return each->task == task; });
          const way_result* way = at == group.end() ? nullptr : find_way(**at, name);
          row.push_back(way == nullptr
                            ? ""
                            : hundred(way->answers.all.exact_match) + "/" + hundred(way->answers.all.f1));
          better.push_back(way == nullptr || !way->answers_difference
                               ? ""
                               : signed_hundred(way->answers_difference->exact_match) + "/" +
                                     signed_hundred(way->answers_difference->f1));
        }
        table.rows.push_back(std::move(row));
        if (name != "plain") table.rows.push_back(std::move(better));
      }
    }
  }
  return table;
}

std::string range(const statistics::interval& of, const char* pattern, double times) {
  return formatted(pattern, times * of.lo) + " .. " + formatted(pattern, times * of.hi);
}

std::string number_or_dash(const std::optional<double>& value, const char* pattern) {
  return value ? formatted(pattern, *value) : "-";
}

std::string range_or_dash(const std::optional<statistics::interval>& value, const char* pattern,
                          double times = 1) {
  return value ? range(*value, pattern, times) : "-";
}

// Of Markdown's own characters those that would change a table.
std::string for_markdown(const std::string& cell) {
  std::string text;
  for (const char c : cell) {
    if (c == '|' || c == '\\' || c == '*' || c == '_' || c == '`' || c == '<') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text;
}

std::string for_latex(const std::string& cell) {
  std::string text;
  for (const char c : cell) {
    switch (c) {
      case '\\':
        text += "\\textbackslash{}";
        break;
      case '~':
        text += "\\textasciitilde{}";
        break;
      case '^':
        text += "\\textasciicircum{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        text += '\\';
        text += c;
        break;
      default:
        text += c;
    }
  }
  return text;
}

std::string for_csv(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (const char c : cell) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

}  // namespace

std::vector<result_table> paper_tables(const suite_results& of) {
  const auto chosen = [&](const std::string& kind, bool mmlu) {
    std::vector<const suite_result*> results;
    for (const suite_result& each : of.results) {
      if (each.kind == kind && (each.task_of == "mmlu") == mmlu) results.push_back(&each);
    }
    return results;
  };
  std::vector<result_table> tables;
  if (auto results = chosen("multiple-choice", false); !results.empty())
    tables.push_back(accuracy_table("Table 2. Multiple choice (accuracy, %)", std::move(results)).made());
  if (auto results = chosen("multiple-choice", true); !results.empty()) tables.push_back(mmlu_table(results));
  if (auto results = chosen("classification", false); !results.empty())
    tables.push_back(accuracy_table("Table 4. Text classification (accuracy, %)", std::move(results)).made());
  if (auto results = chosen("generated", false); !results.empty()) tables.push_back(generated_table(results));
  if (auto results = chosen("own", false); !results.empty())
    tables.push_back(accuracy_table("Tasks of one's own (accuracy, %)", std::move(results)).made());
  return tables;
}

result_table ways_table(const suite_results& of) {
  result_table table{
      .title = "Every way of scoring, with its uncertainty",
      .header = {"model", "task", "shots", "way", "heads", "n", "accuracy %", "95 % interval", "- plain",
                 "95 % interval", "McNemar p", "prior-corrected %", "AUC", "AUC - plain", "95 % interval"},
      .names = 4,
      .rows = {}};
  for (const suite_result& result : of.results) {
    if (result.kind == "generated") continue;
    for (const way_result& way : result.ways) {
      const tasks::accuracy_summary& sum = way.summary;
      const auto& less = way.difference;
      table.rows.push_back({result.model, result.task, std::to_string(result.shots), way.name(),
                            way.heads > 0 ? std::to_string(way.heads) : "", std::to_string(result.n),
                            formatted("%.1f", 100 * sum.accuracy), range(sum.ci95, "%.1f", 100),
                            less ? formatted("%+.1f", 100 * less->accuracy) : "",
                            less ? range(less->ci95, "%+.1f", 100) : "",
                            less ? number_or_dash(less->mcnemar_p, "%.3g") : "",
                            sum.prior_corrected ? formatted("%.1f", 100 * *sum.prior_corrected) : "-",
                            number_or_dash(sum.auc, "%.3f"), less ? number_or_dash(less->auc, "%+.3f") : "",
                            less ? range_or_dash(less->auc_ci95, "%+.3f") : ""});
    }
  }
  return table;
}

result_table answers_table(const suite_results& of) {
  result_table table{
      .title = "Generated answers, with their uncertainty",
      .header = {"model", "task", "shots", "way", "n", "exact match %", "95 % interval", "F1 %",
                 "95 % interval", "EM - plain", "95 % interval", "F1 - plain", "95 % interval"},
      .names = 4,
      .rows = {}};
  for (const suite_result& result : of.results) {
    if (result.kind != "generated") continue;
    for (const way_result& way : result.ways) {
      const tasks::answer_means& all = way.answers.all;
      const auto& less = way.answers_difference;
      table.rows.push_back({result.model, result.task, std::to_string(result.shots), way.name(),
                            std::to_string(result.n), formatted("%.1f", 100 * all.exact_match),
                            range(all.exact_match_ci95, "%.1f", 100), formatted("%.1f", 100 * all.f1),
                            range_or_dash(all.f1_ci95, "%.1f", 100),
                            less ? formatted("%+.1f", 100 * less->exact_match) : "",
                            less ? range_or_dash(less->exact_match_ci95, "%+.1f", 100) : "",
                            less ? formatted("%+.1f", 100 * less->f1) : "",
                            less ? range_or_dash(less->f1_ci95, "%+.1f", 100) : ""});
    }
  }
  return table;
}

std::vector<std::string> unfinished(const suite_results& of) {
  std::vector<std::string> lines;
  for (const suite_result& each : of.results) {
    if (each.whole()) continue;
    lines.push_back(each.model + ", " + each.task + ", " + setting_of(each.shots) + ": " +
                    std::to_string(each.n) + " of " + std::to_string(each.wanted) +
                    " samples so far; run the suite again to go on");
  }
  return lines;
}

std::string as_text(const result_table& table) {
  report::text_table text(table.header);
  for (const std::vector<std::string>& row : table.rows)
    text.add(row);
  return table.title + "\n" + text.str();
}

std::string as_markdown(const result_table& table) {
  std::string text = "**" + for_markdown(table.title) + "**\n\n|";
  for (const std::string& cell : table.header)
    text += " " + for_markdown(cell) + " |";
  text += "\n|";
  for (std::size_t i = 0; i < table.header.size(); ++i)
    text += i < table.names ? "---|" : "---:|";
  text += '\n';
  for (const std::vector<std::string>& row : table.rows) {
    text += '|';
    for (const std::string& cell : row)
      text += " " + for_markdown(cell) + " |";
    text += '\n';
  }
  return text;
}

std::string as_latex(const result_table& table) {
  std::string text =
      "\\begin{table}[t]\n\\centering\n\\caption{" + for_latex(table.title) + "}\n\\begin{tabular}{";
  for (std::size_t i = 0; i < table.header.size(); ++i)
    text += i < table.names ? 'l' : 'r';
  text += "}\n\\toprule\n";
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      text += (i == 0 ? "" : " & ") + for_latex(row[i]);
    text += " \\\\\n";
  };
  add(table.header);
  text += "\\midrule\n";
  for (const std::vector<std::string>& row : table.rows)
    add(row);
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

std::string as_csv(const suite_results& of) {
  std::string text =
      "model,task,kind,shots,seeds,n,wanted,method,map,fitted_on,heads,accuracy,accuracy_lo,accuracy_hi,"
      "difference,difference_lo,difference_hi,mcnemar_p,auc,auc_lo,auc_hi,auc_difference,auc_difference_lo,"
      "auc_difference_hi,prior_corrected,exact_match,exact_match_lo,exact_match_hi,f1,f1_lo,f1_hi,"
      "exact_match_difference,f1_difference\r\n";
  for (const suite_result& result : of.results) {
    for (const way_result& way : result.ways) {
      std::string line;
      const auto add = [&](const std::string& cell) { line += (line.empty() ? "" : ",") + for_csv(cell); };
      const auto number = [&](std::optional<double> value) { add(value ? formatted("%.17g", *value) : ""); };
      const auto interval = [&](const std::optional<statistics::interval>& value) {
        number(value ? std::optional(value->lo) : std::nullopt);
        number(value ? std::optional(value->hi) : std::nullopt);
      };
      const bool generated = result.kind == "generated";
      add(result.model);
      add(result.task);
      add(result.kind);
      for (const std::size_t count : {result.shots, result.seeds, result.n, result.wanted})
        add(std::to_string(count));
      add(way.method);
      add(way.map);
      add(std::to_string(way.fitted_on));
      add(std::to_string(way.heads));
      const auto scored = [&](auto value) { return generated ? decltype(value)() : value; };
      number(scored(std::optional(way.summary.accuracy)));
      interval(scored(std::optional(way.summary.ci95)));
      number(way.difference ? std::optional(way.difference->accuracy) : std::nullopt);
      interval(way.difference ? std::optional(way.difference->ci95) : std::nullopt);
      number(way.difference ? way.difference->mcnemar_p : std::nullopt);
      number(way.summary.auc);
      interval(way.summary.auc_ci95);
      number(way.difference ? way.difference->auc : std::nullopt);
      interval(way.difference ? way.difference->auc_ci95 : std::nullopt);
      number(way.summary.prior_corrected);
      number(generated ? std::optional(way.answers.all.exact_match) : std::nullopt);
      interval(generated ? std::optional(way.answers.all.exact_match_ci95) : std::nullopt);
      number(generated ? std::optional(way.answers.all.f1) : std::nullopt);
      interval(way.answers.all.f1_ci95);
      number(way.answers_difference ? std::optional(way.answers_difference->exact_match) : std::nullopt);
      number(way.answers_difference ? std::optional(way.answers_difference->f1) : std::nullopt);
      text += line + "\r\n";
    }
  }
  return text;
}

}  // namespace act::suite
