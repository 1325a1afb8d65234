#include <act/inspection/observation.hpp>
#include <act/inspection/summary.hpp>
#include <act/options.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/table.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/option_names.hpp>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace act::report {

io::json_document to_json(const sink_options& options) {
  return io::json_document::object({{"rule", tasks::name_of(options.rule)},
                                    {"alpha", options.alpha},
                                    {"tau", options.tau},
                                    {"min_visible_rows", options.min_visible_rows}});
}

io::json_document sinks_json(const inspection::prompt_observation& prompt, const runtime::tokenizer& by) {
  auto list = io::json_document::array();
  for (std::size_t at = 0; at < prompt.found.size(); ++at) {
    for (const inspection::observed_sink& sink : prompt.found[at].sinks) {
      const runtime::token_id token = prompt.tokens[sink.position];
      list.push_back(io::json_document::object({{"layer", at / prompt.heads},
                                                {"head", at % prompt.heads},
                                                {"position", sink.position},
                                                {"token", token_text(by, token)},
                                                {"id", token},
                                                {"score", sink.score},
                                                {"mass", sink.mass}}));
    }
  }
  return list;
}

io::json_document sinks_json(const inspection::inspection_summary& summary, const runtime::tokenizer& by) {
  auto list = io::json_document::array();
  for (const inspection::head_sink_token& one : summary.head_tokens) {
    list.push_back(io::json_document::object({{"layer", one.layer},
                                              {"head", one.head},
                                              {"position", one.position},
                                              {"token", token_text(by, one.token)},
                                              {"id", one.token},
                                              {"score", one.score},
                                              {"mass", one.mass},
                                              {"count", one.count},
                                              {"prompts", one.prompts}}));
  }
  return list;
}

namespace {

io::json_document scores_json(const inspection::score_histogram& scores) {
  using inspection::score_histogram;
  const auto listed = [](const score_histogram::bins& bins) {
    return std::vector<std::size_t>(bins.begin(), bins.end());
  };
  return io::json_document::object(
      {{"up_to", std::vector<double>(score_histogram::edges.begin(), score_histogram::edges.end())},
       {"first", listed(scores.first)},
       {"sinks", listed(scores.sinks)},
       {"others", listed(scores.others)}});
}

}  // namespace

io::json_document to_json(const inspection::inspection_summary& summary, const runtime::tokenizer& by) {
  const auto prompts = static_cast<double>(summary.prompts);
  auto per_head = io::json_document::array();
  double sink_mass = 0, first_mass = 0;
  for (std::size_t at = 0; at < summary.per_head.size(); ++at) {
    const inspection::head_summary& head = summary.per_head[at];
    sink_mass += head.sink_mass;
    first_mass += head.first_mass;
    per_head.push_back(io::json_document::object(
        {{"layer", at / summary.heads},
         {"head", at % summary.heads},
         {"prompts_with_sinks", static_cast<double>(head.prompts_with_sinks) / prompts},
         {"sinks", static_cast<double>(head.sinks) / prompts},
         {"sink_mass", head.sink_mass},
         {"first_mass", head.first_mass}}));
  }
  auto frequent = io::json_document::array();
  for (const inspection::sink_token_count& one : summary.frequent) {
    frequent.push_back(io::json_document::object(
        {{"token", token_text(by, one.token)},
         {"id", one.token},
         {"count", one.count},
         {"share", static_cast<double>(one.count) / static_cast<double>(summary.sinks)},
         {"prompts", one.prompts}}));
  }
  const auto heads = static_cast<double>(summary.per_head.size());
  return io::json_document::object(
      {{"n", summary.prompts},
       {"layers", summary.layers},
       {"heads_per_layer", summary.heads},
       {"tokens", summary.tokens},
       {"sink_count", summary.sinks},
       {"sink_mass", sink_mass / heads},
       {"first_token",
        io::json_document::object(
            {{"mass", first_mass / heads},
             {"over_threshold", static_cast<double>(summary.first_over_threshold) / (heads * prompts)}})},
       {"per_head", std::move(per_head)},
       {"frequent_tokens", std::move(frequent)},
       {"scores", scores_json(summary.scores)},
       {"tenths", std::vector<std::size_t>(summary.tenths.begin(), summary.tenths.end())}});
}

std::string strongest_sinks_table(const inspection::prompt_observation& prompt, const runtime::tokenizer& by,
                                  std::size_t top) {
  struct placed {
    std::size_t at;
    const inspection::observed_sink* sink;
  };
  std::vector<placed> sinks;
  for (std::size_t at = 0; at < prompt.found.size(); ++at) {
    for (const inspection::observed_sink& sink : prompt.found[at].sinks)
      sinks.push_back({at, &sink});
  }
  std::stable_sort(sinks.begin(), sinks.end(),
                   [](const placed& a, const placed& b) { return a.sink->mass > b.sink->mass; });
  text_table table({"layer", "head", "position", "token", "score", "of the head's attention"});
  for (std::size_t i = 0; i < std::min(top, sinks.size()); ++i) {
    const inspection::observed_sink& sink = *sinks[i].sink;
    table.add({std::to_string(sinks[i].at / prompt.heads), std::to_string(sinks[i].at % prompt.heads),
               std::to_string(sink.position), quoted_token(by, prompt.tokens[sink.position]),
               formatted("%.3f", sink.score), percent(sink.mass)});
  }
  return table.str();
}

std::string sink_positions_table(const inspection::prompt_observation& prompt, const runtime::tokenizer& by,
                                 std::size_t top) {
  text_table table({"position", "token", "sink of", "mean score", "of these heads' attention"});
  const std::vector<inspection::sink_position> positions = sink_positions(prompt);
  for (std::size_t i = 0; i < std::min(top, positions.size()); ++i) {
    const inspection::sink_position& one = positions[i];
    table.add({std::to_string(one.position), quoted_token(by, prompt.tokens[one.position]),
               std::to_string(one.heads) + " heads", formatted("%.3f", one.score), percent(one.mass)});
  }
  return table.str();
}

std::string strongest_sinks_table(const inspection::inspection_summary& summary, const runtime::tokenizer& by,
                                  std::size_t top) {
  text_table table({"layer", "head", "token", "in prompts", "a prompt", "mean position", "mean score",
                    "of the head's attention"});
  const auto prompts = static_cast<double>(summary.prompts);
  for (std::size_t i = 0; i < std::min(top, summary.head_tokens.size()); ++i) {
    const inspection::head_sink_token& one = summary.head_tokens[i];
    const double each = static_cast<double>(one.count) / prompts;
    table.add({std::to_string(one.layer), std::to_string(one.head), quoted_token(by, one.token),
               percent(static_cast<double>(one.prompts) / prompts), formatted("%.2f", each),
               formatted("%.1f", one.position), formatted("%.3f", one.score), percent(one.mass * each)});
  }
  return table.str();
}

std::string frequent_tokens_table(const inspection::inspection_summary& summary, const runtime::tokenizer& by,
                                  std::size_t top) {
  text_table table({"token", "id", "count", "share", "in prompts"});
  const auto share = [&](std::size_t count) {
    return percent(static_cast<double>(count) / static_cast<double>(summary.sinks));
  };
  std::size_t rest = summary.sinks;
  const std::size_t shown = std::min(top, summary.frequent.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const inspection::sink_token_count& one = summary.frequent[i];
    table.add({quoted_token(by, one.token), std::to_string(one.token), std::to_string(one.count),
               share(one.count),
               percent(static_cast<double>(one.prompts) / static_cast<double>(summary.prompts))});
    rest -= one.count;
  }
  if (shown < summary.frequent.size()) {
    table.add(
        {std::to_string(summary.frequent.size() - shown) + " others", "", std::to_string(rest), share(rest)});
  }
  return table.str();
}

std::string score_table(const inspection::inspection_summary& summary) {
  using inspection::score_histogram;
  const score_histogram& scores = summary.scores;
  const auto count = [](const score_histogram::bins& bins) {
    return std::accumulate(bins.begin(), bins.end(), std::size_t{0});
  };
  const auto share = [&](const score_histogram::bins& bins, std::size_t bin) {
    const std::size_t all = count(bins);
    return all == 0 ? std::string("-")
                    : formatted("%.2f %%", 100 * static_cast<double>(bins[bin]) / static_cast<double>(all));
  };
  text_table table({"times 1 / N", "first token", "sinks", "others"});
  for (std::size_t bin = 0; bin < scores.first.size(); ++bin) {
    if (scores.first[bin] + scores.sinks[bin] + scores.others[bin] == 0) continue;
    const bool last = bin == score_histogram::edges.size();
    table.add({last ? "over " + formatted("%g", score_histogram::edges.back())
                    : "to " + formatted("%g", score_histogram::edges[bin]),
               share(scores.first, bin), share(scores.sinks, bin), share(scores.others, bin)});
  }
  table.add({"tokens", std::to_string(count(scores.first)), std::to_string(count(scores.sinks)),
             std::to_string(count(scores.others))});
  return table.str();
}

std::string sink_places(const inspection::inspection_summary& summary) {
  if (summary.sinks == 0) return {};
  std::string text = "sinks by the tenth of their prompt, %:";
  for (const std::size_t tenth : summary.tenths)
    text += " " + formatted("%.1f", 100 * static_cast<double>(tenth) / static_cast<double>(summary.sinks));
  return text + "\n";
}

std::string inspection_remarks(const inspection::inspection_summary& summary) {
  const std::size_t pairs = summary.prompts * summary.per_head.size();
  std::size_t with_sinks = 0;
  for (const inspection::head_summary& head : summary.per_head)
    with_sinks += head.prompts_with_sinks;
  const auto of_pairs = [&](std::size_t count) {
    return std::to_string(count) + " of " + std::to_string(pairs) +
           (summary.prompts == 1 ? " heads" : " (prompt, head) pairs") + " (" +
           percent(static_cast<double>(count) / static_cast<double>(pairs)) + ")";
  };
  std::string text = std::to_string(summary.sinks) + " sinks in " + of_pairs(with_sinks);
  if (summary.sinks > 0) {
    text += "; " + percent(static_cast<double>(summary.tenths.back()) / static_cast<double>(summary.sinks)) +
            " of them in the last tenth of " + (summary.prompts == 1 ? "the prompt" : "their prompt");
  }
  const std::size_t together = summary.sinks + summary.first_over_threshold;
  text += ".\nThe first token, which is never a sink, is over the threshold in " +
          of_pairs(summary.first_over_threshold);
  if (together > 0) {
    text += ";\ncounted with the sinks, as the paper's Table 1 does, it would be " +
            percent(static_cast<double>(summary.first_over_threshold) / static_cast<double>(together)) +
            " of them";
  }
  return text + ".\n";
}

}  // namespace act::report
