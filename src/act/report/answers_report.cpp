#include <act/report/answers_report.hpp>
#include <act/report/number_json.hpp>
#include <act/report/number_text.hpp>
#include <act/report/table.hpp>
#include <act/runtime/generate.hpp>
#include <act/tasks/evaluate_answers.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/squad_metrics.hpp>

namespace act::report {

namespace {

// The means of all questions go without their count, which stands beside them.
io::json_document to_json(const tasks::answer_means& means, bool with_count = true) {
  io::json_document object;
  if (with_count) object.set("n", means.n);
  object.update(io::json_document::object({{"exact_match", means.exact_match},
                                           {"exact_match_ci95", interval_json(means.exact_match_ci95)},
                                           {"f1", means.f1},
                                           {"f1_ci95", or_null(means.f1_ci95)}}));
  return object;
}

}  // namespace

io::json_document summary_json(const tasks::answers_summary& summary) {
  io::json_document object = to_json(summary.all, false);
  if (summary.has_answer) object.set("has_answer", to_json(*summary.has_answer));
  if (summary.no_answer) object.set("no_answer", to_json(*summary.no_answer));
  return object;
}

io::json_document difference_json(const tasks::answers_difference& difference) {
  return io::json_document::object({{"exact_match", difference.exact_match},
                                    {"exact_match_ci95", or_null(difference.exact_match_ci95)},
                                    {"f1", difference.f1},
                                    {"f1_ci95", or_null(difference.f1_ci95)},
                                    {"gained", difference.gained},
                                    {"lost", difference.lost},
                                    {"mcnemar_p", difference.mcnemar_p}});
}

io::json_document to_json(const tasks::answers_evaluation& result) {
  io::json_document document =
      io::json_document::object({{"n", result.n},
                                 {"version", result.rules == tasks::squad_rules::v2 ? "2.0" : "1.1"},
                                 {"baseline", summary_json(result.baseline)}});
  if (result.calibrated) document.set("calibrated", summary_json(*result.calibrated));
  if (result.difference) document.set("difference", difference_json(*result.difference));
  return document;
}

std::string answers_table(const tasks::answers_evaluation& result) {
  text_table table({"", "questions", "exact match", "95 % interval", "F1", "95 % interval"});
  const auto add = [&](const std::string& name, const tasks::answer_means& means) {
    table.add({name, std::to_string(means.n), percent(means.exact_match),
               percent_range(means.exact_match_ci95), percent(means.f1),
               means.f1_ci95 ? percent_range(*means.f1_ci95) : "-"});
  };
  const auto add_summary = [&](const std::string& name, const tasks::answers_summary& summary) {
    add(name, summary.all);
    if (summary.has_answer) add("  answerable", *summary.has_answer);
    if (summary.no_answer) add("  unanswerable", *summary.no_answer);
  };
  add_summary("plain", result.baseline);
  if (!result.calibrated) return table.str();
  add_summary("calibrated", *result.calibrated);
  const tasks::answers_difference& difference = *result.difference;
  const auto signed_range = [](const std::optional<statistics::interval>& range) {
    return range ? signed_percent_range(*range) : std::string("-");
  };
  table.add({"difference", "+" + std::to_string(difference.gained) + " -" + std::to_string(difference.lost),
             signed_percent(difference.exact_match), signed_range(difference.exact_match_ci95),
             signed_percent(difference.f1), signed_range(difference.f1_ci95)});
  return table.str();
}

std::string prediction_line(const tasks::sample& question,
                            const std::vector<runtime::token_id>& prompt_tokens, const runtime::tokenizer& by,
                            const std::string& compute, const answered_question& plain,
                            const std::optional<answered_question>& calibrated) {
  const auto answered = [](const answered_question& each) -> io::json_document {
    return io::json_document::object({{"text", tasks::generated_answer(each.made.text)},
                                      {"tokens", each.made.tokens},
                                      {"end", name_of(each.made.end)},
                                      {"exact_match", each.score.exact_match},
                                      {"f1", each.score.f1}});
  };
  io::json_document line = io::json_document::object(
      {{"index", question.index}, {"id", question.fields.at("id")}, {"answers", question.choices}});
  if (!compute.empty()) line.set("compute", compute);
  line.set("prompt", by.decode(prompt_tokens));
  line.set("prompt_tokens", prompt_tokens);
  line.set("baseline", answered(plain));
  if (calibrated) line.set("calibrated", answered(*calibrated));
  return line.text() + "\n";
}

}  // namespace act::report
