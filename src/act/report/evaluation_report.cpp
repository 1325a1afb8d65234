#include <act/report/evaluation_report.hpp>
#include <act/report/number_json.hpp>
#include <act/report/number_text.hpp>
#include <act/report/table.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cmath>
#include <utility>
#include <vector>

namespace act::report {

namespace {

/// A count, or the mean of counts over several runs: whole numbers stay whole.
io::json_document count_json(double count) {
  if (count == std::floor(count)) return static_cast<std::size_t>(count);
  return count;
}

std::string count_text(double count, std::size_t runs) {
  return formatted(runs == 1 ? "%.0f" : "%.1f", count);
}

}  // namespace

io::json_document summary_json(const tasks::accuracy_summary& summary, bool with_other) {
  auto predicted = io::json_document::array();
  for (const double count : summary.predicted)
    predicted.push_back(count_json(count));
  io::json_document object =
      io::json_document::object({{"correct", count_json(summary.correct)},
                                 {"accuracy", summary.accuracy},
                                 {"ci95", interval_json(summary.ci95)},
                                 {"auc", or_null(summary.auc)},
                                 {"auc_ci95", or_null(summary.auc_ci95)},
                                 {"prior_corrected", or_null(summary.prior_corrected)},
                                 {"prior_corrected_ci95", or_null(summary.prior_corrected_ci95)},
                                 {"predicted", std::move(predicted)}});
  if (with_other) object.set("other", count_json(summary.other));
  return object;
}

io::json_document difference_json(const tasks::accuracy_difference& difference) {
  return io::json_document::object({{"accuracy", difference.accuracy},
                                    {"ci95", interval_json(difference.ci95)},
                                    {"gained", count_json(difference.gained)},
                                    {"lost", count_json(difference.lost)},
                                    {"mcnemar_p", or_null(difference.mcnemar_p)},
                                    {"auc", or_null(difference.auc)},
                                    {"auc_ci95", or_null(difference.auc_ci95)},
                                    {"prior_corrected", or_null(difference.prior_corrected)},
                                    {"prior_corrected_ci95", or_null(difference.prior_corrected_ci95)}});
}

io::json_document to_json(const tasks::evaluation& result, const way_names& names) {
  io::json_document document =
      io::json_document::object({{"n", result.n},
                                 {"labels", result.labelled},
                                 {"baseline", summary_json(result.baseline, result.with_other)}});
  if (result.contextual) document.set(result.prior, summary_json(*result.contextual, result.with_other));
  if (result.calibrated) document.set(names.key(), summary_json(*result.calibrated, result.with_other));
  if (result.difference) document.set("difference", difference_json(*result.difference));
  if (result.contextual_difference)
    document.set(result.prior + "_difference", difference_json(*result.contextual_difference));
  return document;
}

std::string evaluation_table(const tasks::evaluation& result, const way_names& names) {
  text_table table({"", "correct", "accuracy", "95 % interval", "prior-corrected", "95 % interval", "AUC",
                    "95 % interval"});
  const auto add = [&](const std::string& name, const tasks::accuracy_summary& summary) {
    table.add({name, count_text(summary.correct, result.runs) + "/" + std::to_string(result.n),
               percent(summary.accuracy), percent_range(summary.ci95),
               summary.prior_corrected ? percent(*summary.prior_corrected) : "-",
               summary.prior_corrected_ci95 ? percent_range(*summary.prior_corrected_ci95) : "-",
               summary.auc ? formatted("%.3f", *summary.auc) : "-",
               summary.auc_ci95 ? formatted("%.3f", summary.auc_ci95->lo) + " .. " +
                                      formatted("%.3f", summary.auc_ci95->hi)
                                : "-"});
  };
  const auto add_difference = [&](const std::string& name, const tasks::accuracy_difference& difference) {
    table.add(
        {name,
         "+" + count_text(difference.gained, result.runs) + " -" + count_text(difference.lost, result.runs),
         signed_percent(difference.accuracy), signed_percent_range(difference.ci95),
         difference.prior_corrected ? signed_percent(*difference.prior_corrected) : "-",
         difference.prior_corrected_ci95 ? signed_percent_range(*difference.prior_corrected_ci95) : "-",
         difference.auc ? formatted("%+.3f", *difference.auc) : "-",
         difference.auc_ci95 ? formatted("%+.3f", difference.auc_ci95->lo) + " .. " +
                                   formatted("%+.3f", difference.auc_ci95->hi)
                             : "-"});
  };
  add(names.first, result.baseline);
  if (result.contextual) add(result.prior, *result.contextual);
  if (result.calibrated) add(names.second, *result.calibrated);
  if (result.difference)
    add_difference(result.contextual ? names.second + " - " + names.first : "difference", *result.difference);
  if (result.contextual_difference)
    add_difference(result.prior + " - " + names.first, *result.contextual_difference);
  return table.str();
}

std::string answers_table(const tasks::evaluation& result, std::span<const std::string> words,
                          const way_names& names) {
  std::vector<std::string> header{"answers"};
  for (const std::string& word : words)
    header.push_back("'" + word.substr(word.find_first_not_of(' ')) + "'");
  if (result.with_other) header.push_back("another");
  text_table table(header);
  const auto add = [&](const std::string& name, const auto& counts, double other) {
    std::vector<std::string> cells{name};
    const auto share = [&](auto count) {
      cells.push_back(percent(static_cast<double>(count) / static_cast<double>(result.n)));
    };
    for (const auto count : counts)
      share(count);
    if (result.with_other) share(other);
    table.add(cells);
  };
  add("right ones", result.labelled, 0);
  add(names.first, result.baseline.predicted, result.baseline.other);
  if (result.contextual) add(result.prior, result.contextual->predicted, result.contextual->other);
  if (result.calibrated) add(names.second, result.calibrated->predicted, result.calibrated->other);
  return table.str();
}

std::string other_answers(const tasks::evaluation& result) {
  if (!result.with_other) return {};
  const auto share = [&](const tasks::accuracy_summary& summary) {
    return percent(summary.other / static_cast<double>(result.n));
  };
  std::string text = "Greedy token is none of the answers: plain " + share(result.baseline);
  if (result.calibrated) text += ", calibrated " + share(*result.calibrated);
  return text;
}

std::string verdict(const tasks::evaluation& result) {
  if (!result.difference) return {};
  const tasks::accuracy_difference& difference = *result.difference;
  enum class movement { up, down, none };
  const auto moved = [](const statistics::interval& range) {
    if (range.lo > 0) return movement::up;
    return range.hi < 0 ? movement::down : movement::none;
  };
  const movement accuracy = moved(difference.ci95);
  const movement area = difference.auc_ci95 ? moved(*difference.auc_ci95) : movement::none;
  switch (accuracy) {
    case movement::up:
      if (area == movement::up) {
        return "Accuracy and AUC both rose: the calibrated model orders the samples better, a real gain.";
      }
      if (area == movement::down) {
        return "Accuracy rose while AUC fell: the labels' prior was corrected, the order of the samples "
               "became worse.";
      }
      return "Accuracy rose and AUC didn't measurably move: most of the gain is a corrected label prior, "
             "which a moved "
             "threshold would give too.";
    case movement::down:
      if (area == movement::up) {
        return "Accuracy fell while AUC rose: the samples are ordered better, but the labels' prior shifted "
               "the wrong way.";
      }
      return area == movement::down
                 ? "Accuracy and AUC both fell: these heads do harm here."
                 : "Accuracy fell and AUC didn't measurably move: the labels' prior shifted the wrong way.";
    case movement::none:
      break;
  }
  if (area == movement::up) {
    return "AUC rose but accuracy didn't measurably move: the samples are ordered better, the threshold is "
           "as it was.";
  }
  if (area == movement::down) {
    return "AUC fell and accuracy didn't measurably move: the samples are ordered worse.";
  }
  return "Neither accuracy nor AUC moved beyond what " + std::to_string(result.n) + " samples can tell.";
}

std::string prediction_line(const tasks::prepared_sample& sample, const tasks::sample_scores& scores,
                            std::size_t i, const prediction_source& made_by) {
  io::json_document line = io::json_document::object({{"index", sample.index}, {"label", sample.label}});
  if (made_by.shot_seed) line.set("shot_seed", *made_by.shot_seed);
  if (!made_by.compute.empty()) line.set("compute", made_by.compute);
  line.set("prompt", made_by.by.decode(sample.prompt));
  line.set("prompt_tokens", sample.prompt);
  if (!sample.options.empty()) {
    io::json_document option_tokens = io::json_document::array();
    for (const runtime::scored_text& option : sample.options) {
      const auto first = option.tokens.begin() + static_cast<std::ptrdiff_t>(option.first_scored);
      option_tokens.push_back(std::vector<runtime::token_id>(first, option.tokens.end()));
    }
    line.set("option_tokens", std::move(option_tokens));
  }
  const auto add = [&](const std::string& name, const statistics::score_table& table) {
    if (table.empty()) return;
    const std::vector<double>& row = table[i];
    const std::size_t predicted = statistics::predicted_label(row);
    io::json_document way;
    way.set("prediction", predicted);
    if (scores.with_other) {
      if (predicted + 1 == row.size()) way.set("prediction", nullptr);
      way.set("scores", std::vector<double>(row.begin(), row.end() - 1));
      way.set("other", row.back());
    } else {
      way.set("scores", row);
    }
    line.set(name, std::move(way));
  };
  add("baseline", scores.plain);
  add(scores.prior, scores.contextual);
  add("calibrated", scores.calibrated);
  return line.text() + "\n";
}

}  // namespace act::report
