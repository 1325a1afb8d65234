#include <act/report/number_text.hpp>
#include <act/report/search_report.hpp>
#include <act/report/table.hpp>
#include <act/report/unibias_report.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/label_bias.hpp>
#include <act/search/plan.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace act::report {

namespace {

io::json_document to_json(const search::head_criteria& head) {
  return io::json_document::object({{"layer", head.layer},
                                    {"head", head.head},
                                    {"logits", head.logits},
                                    {"relatedness", head.relatedness},
                                    {"bias", head.bias},
                                    {"variation", head.variation}});
}

io::json_document to_json(const head_set& heads) {
  auto list = io::json_document::array();
  for (const layer_head& each : heads)
    list.push_back(io::json_document::array({each.layer, each.head}));
  return list;
}

io::json_document set_json(const unibias_result& result, std::size_t number) {
  const search::biased_set& set = result.sets[number];
  auto one = io::json_document::object({{"heads", to_json(set.heads)}});
  if (!set.heads.empty()) {
    one.set("thresholds", io::json_document::object({{"bias", set.thresholds.bias},
                                                     {"relatedness", set.thresholds.relatedness},
                                                     {"variation", set.thresholds.variation}}));
  }
  one.set("label_probabilities", result.probabilities[number]);
  one.set("label_bias", search::label_bias(result.probabilities[number]));
  one.set("rejected", search::loses_labels(result.probabilities, number));
  return one;
}

std::string percentages(const std::vector<double>& probabilities) {
  std::string text;
  for (const double each : probabilities)
    text += (text.empty() ? "" : ", ") + formatted("%.3g", 100 * each);
  return text + " %";
}

std::string effect_text(const unibias_result& result, std::size_t number) {
  const std::vector<double>& probabilities = result.probabilities[number];
  return "labels' probabilities " + percentages(probabilities) + ", bias " +
         formatted("%.3f", search::label_bias(probabilities));
}

}  // namespace

io::json_document to_json(const search::search_plan& plan, const unibias_result& result) {
  auto heads = io::json_document::array();
  for (const search::head_criteria& each : result.heads)
    heads.push_back(to_json(each));
  auto sets = io::json_document::array();
  for (std::size_t number = 0; number < result.sets.size(); ++number)
    sets.push_back(set_json(result, number));
  return io::json_document::object({{"select", "unibias"},
                                    {"layers", io::json_document::array({plan.range.first, plan.range.last})},
                                    {"sources", sources_json(plan.sources)},
                                    {"criteria", std::move(heads)},
                                    {"sets", std::move(sets)},
                                    {"chosen", result.chosen},
                                    {"selected", to_json(result.sets[result.chosen].heads)}});
}

search::heads_file heads_file_of(const runtime::model_identity& model, const search::search_plan& plan,
                                 const unibias_result& result) {
  return {.model = model,
          .options = plan.options,
          .subset = {},
          .masks = true,
          .heads = result.sets[result.chosen].heads,
          .evidence = to_json(plan, result)};
}

std::string unibias_text(const unibias_result& result) {
  std::size_t rejected = 0;
  for (std::size_t number = 0; number < result.sets.size(); ++number)
    rejected += search::loses_labels(result.probabilities, number) ? 1 : 0;
  std::string text = std::to_string(result.sets.size() - 1) + " sets of biased heads, " +
                     std::to_string(rejected) +
                     " of them rejected: masked, they lower the labels' probability\n" +
                     "plain:  " + effect_text(result, 0) + '\n';
  if (result.chosen == 0) return text + "No set leaves less bias.\n";
  text += "masked: " + effect_text(result, result.chosen) + "\n\n";
  text_table table({"layer", "head", "relatedness", "bias", "variation"});
  for (const search::head_criteria& each : result.heads) {
    if (!result.sets[result.chosen].heads.contains(each.layer, each.head)) continue;
    table.add({std::to_string(each.layer), std::to_string(each.head), formatted("%.3f", each.relatedness),
               formatted("%.3f", each.bias), formatted("%.3f", each.variation)});
  }
  return text + table.str();
}

}  // namespace act::report
