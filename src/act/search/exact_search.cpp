#include <act/head_set.hpp>
#include <act/runtime/model.hpp>
#include <act/search/evidence.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/plan.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_table.hpp>
#include <act/search/trials.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

namespace {

// How much of a search is behind us, measured by the layers that trials have to run through.
class search_meter {
 public:
  search_meter(const search_plan& plan, std::size_t layers, std::size_t heads) : layers_(layers) {
    for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer) {
      total_ += weight(layer) * static_cast<double>(plan.samples.size() * heads);
    }
  }
  void add(std::size_t layer, std::size_t trials) { done_ += weight(layer) * static_cast<double>(trials); }
  [[nodiscard]] double part() const { return done_ / total_; }

 private:
  [[nodiscard]] double weight(std::size_t layer) const { return static_cast<double>(layers_ - layer); }
  std::size_t layers_;
  double total_ = 0;
  double done_ = 0;
};

// A table of the range's heads, by layer, then head.
trial_table empty_table(const search_plan& plan, std::size_t heads) {
  std::vector<layer_head> of;
  for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer) {
    for (std::size_t head = 0; head < heads; ++head)
      of.push_back({layer, head});
  }
  std::vector<table_sample> samples;
  for (std::size_t i = 0; i < plan.samples.size(); ++i) {
    samples.push_back(
        {.label = plan.samples[i].label, .scores = plan.samples[i].score_count(), .source = plan.source(i)});
  }
  return {std::move(of), std::move(samples)};
}

}  // namespace

search_outcome run_exact_search(const runtime::model& model, const search_plan& plan, search_state& state,
                                const search_progress& progress) {
  const std::size_t heads = model.config.heads;
  search_outcome outcome{.samples = plan.samples.size(),
                         .plain_correct = 0,
                         .evidence = {},
                         .trials = empty_table(plan, heads),
                         .work = {}};
  search_meter meter(plan, model.config.layers, heads);
  const auto report = [&] {
    if (progress) progress(meter.part());
  };
  for (const sample_chunk& chunk : plan.chunks()) {
    const std::span<const tasks::prepared_sample> samples =
        std::span(plan.samples).subspan(chunk.begin, chunk.size());
    // Made at the first unit that is missing: a chunk that is stored completely costs no plain pass.
    std::optional<trial_runner> runner;
    const auto started = [&]() -> trial_runner& {
      if (!runner) runner.emplace(model, samples, plan.options, plan.range);
      return *runner;
    };

    std::optional<std::vector<std::vector<double>>> plain = state.plain(chunk, samples);
    if (!plain) {
      plain = started().plain_scores();
      state.save_plain(chunk, *plain, started().plain_work());
      report();
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
      outcome.trials.set_plain(chunk.begin + i, (*plain)[i]);
      outcome.plain_correct += statistics::predicted_label((*plain)[i]) == samples[i].label ? 1 : 0;
    }

    for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer) {
      std::optional<layer_trials> trials = state.trials(chunk, layer, heads, samples);
      if (trials) {
        meter.add(layer, trials->scores.size());
        report();
      } else {
        trials = started().run(layer, [&](std::size_t settled) {
          meter.add(layer, settled);
          report();
        });
        state.save_trials(chunk, layer, heads, *trials);
      }
      const std::size_t first = (layer - plan.range.first) * heads;
      std::size_t i = 0;
      for (std::size_t sample = 0; sample < samples.size(); ++sample) {
        for (std::size_t head = 0; head < heads; ++head, ++i) {
          outcome.trials.set_trial(first + head, chunk.begin + sample, trials->scores[i],
                                   trials->has_sinks[i] != 0);
        }
      }
    }
  }
  outcome.evidence = evidence_of(outcome.trials);
  outcome.work = state.total_work();
  return outcome;
}

}  // namespace act::search
