#include <act/error.hpp>
#include <act/runtime/model.hpp>
#include <act/search/head_attribution.hpp>
#include <act/search/plan.hpp>
#include <act/search/search_cost.hpp>
#include <act/search/search_run.hpp>
#include <act/search/trials.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace act::search {

namespace {

std::size_t longest_sample(const search_plan& plan) {
  std::size_t longest = 1;
  for (const tasks::prepared_sample& sample : plan.samples)
    longest = std::max(longest, sample.tokens());
  return longest;
}

// As scored_texts::scores_of.
std::size_t scores_of_a_text(const tasks::prepared_sample& sample) {
  return sample.options.empty() ? sample.score_count() : 1;
}

// Weights of a layer's products.
double weights_of_a_layer(const runtime::model_config& config) {
  const auto hidden = static_cast<double>(config.hidden);
  const auto queries = static_cast<double>(config.heads * config.head_size);
  const auto keys = static_cast<double>(config.kv_heads * config.head_size);
  const auto inner = static_cast<double>(config.inner);
  return hidden * (2 * queries + 2 * keys + (config.gated_feed_forward ? 3 : 2) * inner);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string gibibytes(std::uint64_t bytes) {
  char text[32];
  const auto whole = static_cast<double>(bytes);
  if (bytes < (std::uint64_t{1} << 30)) {
    std::snprintf(text, sizeof text, "%.1f MiB", whole / 1048576.0);
  } else {
    std::snprintf(text, sizeof text, "%.2f GiB", whole / 1073741824.0);
  }
  return text;
}

}  // namespace

double multiply_adds_of_a_row(const runtime::model_config& config, double keys) {
  return weights_of_a_layer(config) + 2 * keys * static_cast<double>(config.heads * config.head_size);
}

search_memory memory_of(const runtime::model& model, const search_plan& plan) {
  const runtime::model_config& config = model.config;
  const std::size_t longest = longest_sample(plan);
  const std::size_t heads_width = config.heads * config.head_size;
  const std::size_t key_value_width = 2 * config.kv_heads * config.head_size;
  const std::size_t chunk = std::max(longest, plan.tokens_per_chunk);
  std::uint64_t scores = 0;
  for (const tasks::prepared_sample& sample : plan.samples)
    scores += sample.score_count() * sizeof(double) + 1;
  // What runs at once: input, normed, query, keys and values, attention, branch and the feed-forward block's
  // inside.
  const std::size_t row = 4 * config.hidden + 2 * heads_width + key_value_width + 2 * config.inner;
  const std::size_t rows = std::max({trial_runner::rows_per_batch, longest, chunk});
  // A layer's weights turned, of each token and score a row of gradients, and a group's forward and backward
  // pass through a layer.
  std::uint64_t gradients = 0;
  if (plan.estimates) {
    std::size_t most_scores = 1;
    for (const tasks::prepared_sample& sample : plan.samples)
      most_scores = std::max(most_scores, scores_of_a_text(sample));
    const std::size_t group = std::max(head_attributions::rows_of_a_group, longest * most_scores);
    gradients = static_cast<std::uint64_t>(weights_of_a_layer(config)) * sizeof(float) +
                std::uint64_t{chunk} * most_scores * config.hidden * sizeof(float) +
                2 * std::uint64_t{group} * row * sizeof(float);
  }
  return {.weights = runtime::stored_bytes(model),
          .table = scores * (plan.range.count() * config.heads * plan.strength_count() + 1),
          .plain = std::uint64_t{chunk} * plan.range.count() *
                   (config.hidden + (1 + plan.strength_count()) * heads_width + key_value_width) *
                   sizeof(float),
          .batch = std::uint64_t{rows} * row * sizeof(float),
          .gradients = gradients};
}

void fit_memory(search_plan& plan, const runtime::model& model, std::uint64_t bytes, const char* asked_by) {
  // Halves, so that a little more memory rarely makes another search of it.
  while (memory_of(model, plan).sum() > bytes) {
    if (plan.tokens_per_chunk <= longest_sample(plan)) {
      const search_memory need = memory_of(model, plan);
      throw error(error_code::invalid_option, asked_by,
                  gibibytes(bytes) + " is too little: with one sample at a time (the longest has " +
                      std::to_string(longest_sample(plan)) + " tokens) the search keeps " +
                      gibibytes(need.sum()) + " (weights " + gibibytes(need.weights) + ", scores " +
                      gibibytes(need.table) + ", plain pass " + gibibytes(need.plain) + ", trials " +
                      gibibytes(need.batch) +
                      (plan.estimates ? ", estimates " + gibibytes(need.gradients) : std::string()) +
                      "); give as much, fewer samples, or fewer layers (--layers)");
    }
    plan.tokens_per_chunk /= 2;
  }
}

std::uint64_t parse_bytes(std::string_view text, const char* asked_by) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::string_view units = "KMGT";
  if (problem == std::errc{} && std::isfinite(number) && number > 0 &&
      (unit.empty() || (unit.size() == 1 && units.find(unit[0]) != std::string_view::npos))) {
    if (!unit.empty()) number *= std::exp2(10.0 * static_cast<double>(units.find(unit[0]) + 1));
    if (number >= 1 && number < 9e18) return static_cast<std::uint64_t>(number);
  }
  throw error(error_code::invalid_option, asked_by,
              "'" + std::string(text.substr(0, 40)) +
                  "' isn't a size; give bytes, or a number and K, M, G or T, for example 4G");
}

expected_work expect_work(const runtime::model& model, const search_plan& plan,
                          const std::function<void()>& on_step) {
  const auto after_batch = [&](std::size_t) {
    if (on_step) on_step();
  };
  const runtime::model_config& config = model.config;
  // Samples that are run together, as they will be: what they have in common is run once.
  expected_work expected;
  if (!plan.samples.empty()) expected.looked_at = plan.chunks().front().size();
  std::size_t tokens_here = 0;
  double tokens = 0, length_weighted = 0;
  for (std::size_t i = 0; i < plan.samples.size(); ++i) {
    const tasks::prepared_sample& sample = plan.samples[i];
    if (i < expected.looked_at) tokens_here += sample.tokens();
    const auto own = static_cast<double>(sample.tokens());
    tokens += own;
    length_weighted += own * own / static_cast<double>(std::max<std::size_t>(sample.options.size(), 1));
  }
  const auto plain_start = std::chrono::steady_clock::now();
  const trial_runner runner(model, std::span(plan.samples).first(expected.looked_at), plan.options,
                            plan.range, plan.masks, plan.strengths);
  const double plain_seconds = seconds_since(plain_start);
  after_batch(0);
  const std::vector<std::size_t> heads = all_heads(config.heads);
  search_work seen;
  for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer)
    seen += runner.work_of(layer, heads);
  // Every strength changes the same rows.
  const auto strengths = static_cast<double>(plan.strength_count());

  const double scale = tokens / static_cast<double>(tokens_here);
  expected.trials = plan.samples.size() * plan.range.count() * config.heads * plan.strength_count();
  expected.with_sinks = static_cast<double>(expected.trials) *
                        static_cast<double>(seen.trials - seen.trials_without_sinks) /
                        static_cast<double>(seen.trials);
  expected.plain_rows = static_cast<double>(runner.plain_work().layer_rows_computed) * scale;
  expected.trial_rows = static_cast<double>(seen.layer_rows_computed) * scale * strengths;
  if (plan.estimates) {
    for (const tasks::prepared_sample& sample : plan.samples)
      expected.estimate_rows +=
          static_cast<double>(sample.tokens() * (1 + scores_of_a_text(sample)) * plan.range.count());
  }
  expected.whole_rows =
      static_cast<double>(seen.layer_rows_computed + seen.layer_rows_avoided) * scale * strengths;
  expected.multiply_adds = expected.rows() * multiply_adds_of_a_row(config, length_weighted / tokens / 2);

  // Trials of the middle layer, head by head more until that took a second.
  const std::size_t middle = (plan.range.first + plan.range.last) / 2;
  double rows = 0;
  for (std::size_t count = std::min<std::size_t>(4, config.heads);;
       count = std::min(2 * count, config.heads)) {
    const auto start = std::chrono::steady_clock::now();
    rows += static_cast<double>(
        runner.run(middle, std::span(heads).first(count), after_batch).work.layer_rows_computed);
    expected.seconds += seconds_since(start);
    if (expected.seconds > 1 || count == config.heads) break;
  }
  if (rows == 0) {  // no trial of that layer has a sink: rows of plain passes are what is left
    rows = static_cast<double>(runner.plain_work().layer_rows_computed);
    expected.seconds = plain_seconds;
  }
  expected.rows_per_second = rows / std::max(expected.seconds, 1e-9);
  if (plan.estimates) {
    const auto start = std::chrono::steady_clock::now();
    const auto tried = static_cast<double>(runner.try_estimates(on_step));
    const double seconds = seconds_since(start);
    expected.seconds += seconds;
    // Through every layer from the range's first one on.
    const double all = expected.estimate_rows / static_cast<double>(plan.range.count()) *
                       static_cast<double>(config.layers - plan.range.first);
    expected.estimate_seconds = seconds * all / tried;
  }
  return expected;
}

}  // namespace act::search
