#include <act/io/json_document.hpp>
#include <act/report/number_json.hpp>
#include <act/report/number_text.hpp>
#include <act/report/selection_report.hpp>
#include <act/search/plan.hpp>
#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/selection/stored_forecast.hpp>
#include <act/tasks/evaluate.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace act::report {

namespace {

io::json_document to_json(const search::forecast_measure& measure) {
  return io::json_document::object({{"plain", measure.plain},
                                    {"calibrated", measure.calibrated},
                                    {"gain", measure.gain},
                                    {"gain_ci95", interval_json(measure.gain_interval)}});
}

io::json_document to_json(const search::recipe_estimate& estimate) {
  return io::json_document::object({{"order", std::string(estimate.recipe.order)},
                                    {"heads", estimate.recipe.size},
                                    {"gain", estimate.gain},
                                    {"standard_error", estimate.standard_error}});
}

io::json_document to_json(const search::verified_measure& measure) {
  return io::json_document::object(
      {{"plain", measure.plain}, {"estimated", measure.estimated}, {"joint", measure.joint}});
}

std::string measure_text(const search::forecast_measure& measure, const char* format, double scale) {
  const auto number = [&](double value) { return formatted(format, scale * value); };
  return number(measure.plain) + " -> " + number(measure.calibrated) + " (gain, 95 % interval " +
         number(measure.gain_interval.lo) + " .. " + number(measure.gain_interval.hi) + ")";
}

}  // namespace

void add_selection(io::json_document& evidence, const search::head_selection& picked,
                   std::span<const search::search_source> sources) {
  auto selected = io::json_document::array();
  for (const search::head_evidence& head : picked.heads) {
    auto one = io::json_document::array({head.layer, head.head});
    if (head.strength) one.push_back(*head.strength);
    selected.push_back(std::move(one));
  }
  evidence.set("selected", std::move(selected));
  if (!picked.estimates.empty()) {
    auto estimates = io::json_document::array();
    for (const search::recipe_estimate& each : picked.estimates)
      estimates.push_back(to_json(each));
    evidence.set("estimates", std::move(estimates));
  }
  if (!picked.forecast.empty()) {
    auto forecast = io::json_document::array();
    for (const search::source_forecast& each : picked.forecast) {
      auto one = io::json_document::object({{"task", sources[each.source].task},
                                            {"scoring", sources[each.source].scoring},
                                            {"n", each.samples},
                                            {"accuracy", to_json(each.accuracy)}});
      if (sources[each.source].final_space) one.set("final_space", *sources[each.source].final_space);
      if (each.auc) one.set("auc", to_json(*each.auc));
      forecast.push_back(std::move(one));
    }
    evidence.set("forecast", std::move(forecast));
  }
  if (!picked.measured.empty()) {
    auto measured = io::json_document::array();
    for (std::size_t i = 0; i < picked.measured.size(); ++i) {
      const search::measured_set& each = picked.measured[i];
      auto one = io::json_document::object({{"heads", each.heads},
                                            {"estimated_gain", each.estimated_gain},
                                            {"joint_gain", each.joint_gain},
                                            {"taken", i == picked.taken}});
      if (!each.order.empty()) one.set("order", each.order);
      measured.push_back(std::move(one));
    }
    evidence.set("measured", std::move(measured));
  }
  if (!picked.betas.empty()) {
    auto betas = io::json_document::array();
    for (std::size_t i = 0; i < picked.betas.size(); ++i) {
      betas.push_back(io::json_document::object({{"beta", picked.betas[i].beta},
                                                 {"likelihood_gain", picked.betas[i].likelihood_gain},
                                                 {"taken", i == picked.tuned_to}}));
    }
    evidence.set("betas", std::move(betas));
  }
  if (!picked.verified.empty()) {
    auto verified = io::json_document::array();
    for (const search::source_verification& each : picked.verified) {
      auto one = io::json_document::object(
          {{"task", sources[each.source].task}, {"n", each.samples}, {"accuracy", to_json(each.accuracy)}});
      if (each.auc) one.set("auc", to_json(*each.auc));
      verified.push_back(std::move(one));
    }
    evidence.set("verified", std::move(verified));
  }
}

std::string measured_text(const search::head_selection& picked, const std::string& objective) {
  std::string text;
  for (std::size_t i = 0; i < picked.measured.size(); ++i) {
    const search::measured_set& each = picked.measured[i];
    text += (i == picked.taken ? "taken: " : "       ") + std::to_string(each.heads) + " heads" +
            (each.order.empty() ? "" : " by " + each.order) + ", " + objective + " over the search samples " +
            formatted("%+.4f", each.joint_gain) + " by whole passes (estimated " +
            formatted("%+.4f", each.estimated_gain) + ")\n";
  }
  return text;
}

std::string betas_text(const search::head_selection& picked) {
  std::string text;
  for (std::size_t i = 0; i < picked.betas.size(); ++i) {
    const search::tuned_beta& each = picked.betas[i];
    text += (i == picked.tuned_to ? "taken: beta " : "       beta ") + formatted("%g", each.beta) +
            ", likelihood over the search samples " + formatted("%+.4f", each.likelihood_gain) +
            " by whole passes\n";
  }
  return text;
}

std::string forecast_text(std::span<const search::source_forecast> forecast,
                          std::span<const search::search_source> sources) {
  std::string text;
  bool something_rises = forecast.empty();
  for (const search::source_forecast& each : forecast) {
    text += "forecast for unseen samples of " + sources[each.source].task + ": accuracy " +
            measure_text(each.accuracy, "%.1f %%", 100);
    if (each.auc) text += ", AUC " + measure_text(*each.auc, "%.3f", 1);
    text += '\n';
    const auto rises = [](const search::forecast_measure& of) { return of.gain > 0; };
    something_rises = something_rises || rises(each.accuracy) || (each.auc && rises(*each.auc));
  }
  if (!something_rises)
    text += "nothing is forecast to rise: search more samples, or leave the model plain\n";
  return text;
}

std::string verified_text(std::span<const search::source_verification> verified,
                          std::span<const search::search_source> sources) {
  std::string text;
  const auto measure = [](const search::verified_measure& of, const char* format, double scale) {
    return formatted(format, scale * of.plain) + " -> " + formatted(format, scale * of.joint) +
           " (estimated " + formatted(format, scale * of.estimated) + ")";
  };
  for (const search::source_verification& each : verified) {
    text += "whole passes over the search samples of " + sources[each.source].task + ": accuracy " +
            measure(each.accuracy, "%.1f %%", 100);
    if (each.auc) text += ", AUC " + measure(*each.auc, "%.3f", 1);
    text += '\n';
  }
  return text;
}

std::string choice_text(const search::head_selection& picked) {
  if (picked.estimates.empty()) return {};
  const search::recipe_estimate& chosen = picked.estimates[picked.chosen];
  return "of " + std::to_string(picked.estimates.size()) + " sets, cross-validation takes " +
         (chosen.recipe.size == 0
              ? std::string("none: no gain is larger than its standard error")
              : "up to " + std::to_string(chosen.recipe.size) + " heads by " +
                    std::string(chosen.recipe.order) + " (gain " + formatted("%+.4f", chosen.gain) +
                    ", standard error " + formatted("%.4f", chosen.standard_error) + ")") +
         "\n";
}

namespace {

// One measure's sentence part, and its JSON.
std::string agreement_text(const char* of, const search::forecast_measure& forecast, double observed,
                           const search::forecast_agreement& found, const char* format, double scale) {
  const auto number = [&](double value) { return formatted(format, scale * value); };
  return std::string(of) + ": forecast " + number(forecast.gain) + " (" + number(forecast.gain_interval.lo) +
         " .. " + number(forecast.gain_interval.hi) + "), seen " + number(observed) +
         (found.holds() ? ", which agrees" : ", which doesn't agree");
}

io::json_document agreement_json(const search::forecast_measure& forecast,
                                 const search::forecast_agreement& found) {
  io::json_document object = to_json(forecast);
  object.set("observed_less_forecast", found.difference);
  object.set("allowed", found.allowed);
  object.set("agrees", found.holds());
  return object;
}

}  // namespace

std::string forecast_check_text(const search::source_forecast& forecast,
                                const tasks::accuracy_difference& seen) {
  std::string text = "Gain of " + agreement_text("accuracy", forecast.accuracy, seen.accuracy,
                                                 search::compare(forecast.accuracy, seen.accuracy, seen.ci95),
                                                 "%+.1f %%", 100);
  if (forecast.auc && seen.auc && seen.auc_ci95) {
    text += "; of " + agreement_text("AUC", *forecast.auc, *seen.auc,
                                     search::compare(*forecast.auc, *seen.auc, *seen.auc_ci95), "%+.3f", 1);
  }
  return text + ".\n";
}

io::json_document forecast_check_json(const search::source_forecast& forecast,
                                      const tasks::accuracy_difference& seen) {
  auto object = io::json_document::object(
      {{"accuracy",
        agreement_json(forecast.accuracy, search::compare(forecast.accuracy, seen.accuracy, seen.ci95))}});
  if (forecast.auc && seen.auc && seen.auc_ci95)
    object.set("auc",
               agreement_json(*forecast.auc, search::compare(*forecast.auc, *seen.auc, *seen.auc_ci95)));
  return object;
}

}  // namespace act::report
