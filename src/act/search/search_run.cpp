#include <act/head_set.hpp>
#include <act/runtime/model.hpp>
#include <act/search/evidence.hpp>
#include <act/search/plan.hpp>
#include <act/search/search_run.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>
#include <act/search/trial_workers.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

trial_table empty_table(const search_plan& plan, std::size_t heads_a_layer) {
  std::vector<layer_head> of;
  std::vector<double> strengths;
  for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer) {
    for (std::size_t head = 0; head < heads_a_layer; ++head) {
      for (std::size_t strength = 0; strength < plan.strength_count(); ++strength) {
        of.push_back({layer, head});
        if (!plan.strengths.empty()) strengths.push_back(plan.strengths[strength]);
      }
    }
  }
  std::vector<table_sample> samples;
  for (std::size_t i = 0; i < plan.samples.size(); ++i) {
    samples.push_back({.label = plan.samples[i].label,
                       .scores = plan.samples[i].score_count(),
                       .source = plan.source(i),
                       .own_answers = !plan.samples[i].options.empty()});
  }
  return {std::move(of), std::move(samples), std::move(strengths)};
}

std::vector<std::size_t> all_heads(std::size_t heads_a_layer) {
  std::vector<std::size_t> heads(heads_a_layer);
  std::iota(heads.begin(), heads.end(), std::size_t{0});
  return heads;
}

search_run::search_run(const runtime::model_config& config, const search_plan& plan, search_state& state,
                       trial_workers& workers, search_progress progress)
    : plan_(plan),
      state_(state),
      workers_(workers),
      progress_(std::move(progress)),
      layers_(config.layers),
      heads_(config.heads),
      trials_(empty_table(plan, config.heads)) {
  for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer)
    total_ += static_cast<double>((layers_ - layer) * plan.samples.size() * heads_ * plan.strength_count());
}

void search_run::run(std::span<const trial_block> blocks) {
  const bool estimates = std::any_of(blocks.begin(), blocks.end(), [](const trial_block& block) {
    return block.kind == block_kind::estimates;
  });
  if (estimates && estimates_.heads().empty()) {
    estimates_ = empty_table(plan_, heads_);
    for (std::size_t sample = 0; sample < plan_.samples.size(); ++sample)
      estimates_.set_plain(sample, trials_.plain(sample));
  }
  std::vector<trial_block> missing;
  for (const trial_block& block : blocks) {
    const auto samples = std::span(plan_.samples).subspan(block.chunk.begin, block.chunk.size());
    if (const std::optional<block_result> stored = state_.load(block, samples)) {
      keep(block, *stored);
      behind_ += weight(block) * static_cast<double>(block.trials());
      report();
    } else {
      missing.push_back(block);
    }
  }
  if (missing.empty()) return;
  workers_.run(missing, {.done =
                             [&](const trial_block& block, const block_result& result) {
                               state_.save(block, result);
                               keep(block, result);
                               if (block.kind == block_kind::plain) report();
                             },
                         .advanced =
                             [&](const trial_block& block, std::size_t trials) {
                               const double work = weight(block) * static_cast<double>(trials);
                               behind_ += work;
                               computed_ += work;
                               trials_run_ += block.kind == block_kind::trials ? trials : 0;
                               report();
                             }});
}

search_work search_run::estimates_work(std::size_t layer, std::size_t strength) const {
  const auto found = estimates_work_.find({layer, strength});
  return found == estimates_work_.end() ? search_work{} : found->second;
}

void search_run::take_estimates(std::size_t head) {
  trials_.take_estimates(head, estimates_);
  spare(estimates_.heads()[head].layer, estimates_.samples().size());
}

void search_run::spare(std::size_t layer, std::size_t trials) {
  behind_ += static_cast<double>((layers_ - layer) * trials);
}

search_outcome search_run::finish() && {
  search_outcome outcome{.samples = plan_.samples.size(),
                         .plain_correct = 0,
                         .evidence = evidence_of(trials_),
                         .trials = {},
                         .work = state_.total_work()};
  for (std::size_t sample = 0; sample < plan_.samples.size(); ++sample) {
    const bool right = statistics::predicted_label(trials_.plain(sample)) == plan_.samples[sample].label;
    outcome.plain_correct += right ? 1 : 0;
  }
  outcome.trials = std::move(trials_);
  return outcome;
}

double search_run::weight(const trial_block& block) const {
  // What estimates cost isn't known before.
  return block.kind == block_kind::trials ? static_cast<double>(layers_ - block.layer) : 0.0;
}

void search_run::keep(const trial_block& block, const block_result& result) {
  if (block.kind == block_kind::plain) {
    for (std::size_t i = 0; i < block.chunk.size(); ++i) {
      trials_.set_plain(block.chunk.begin + i, result.scores[i]);
      if (!estimates_.heads().empty()) estimates_.set_plain(block.chunk.begin + i, result.scores[i]);
    }
    return;
  }
  if (block.kind == block_kind::estimates) estimates_work_[{block.layer, block.strength}] += result.work;
  trial_table& table = block.kind == block_kind::trials ? trials_ : estimates_;
  const auto place = [&](std::size_t head) {
    return ((block.layer - plan_.range.first) * heads_ + head) * plan_.strength_count() + block.strength;
  };
  std::size_t i = 0;
  for (std::size_t sample = block.chunk.begin; sample < block.chunk.end; ++sample) {
    for (const std::size_t head : block.heads) {
      table.set_trial(place(head), sample, result.scores[i], result.has_sinks[i] != 0,
                      result.initial_mass[i]);
      ++i;
    }
  }
}

void search_run::report() const {
  if (!progress_) return;
  progress_({.part = behind_ / total_,
             .computed = computed_,
             .left = total_ - behind_,
             .trials = trials_run_,
             .results = trials_});
}

}  // namespace act::search
