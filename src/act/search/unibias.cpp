#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/head_logits.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/search/label_bias.hpp>
#include <act/search/plan.hpp>
#include <act/search/sample_chunk.hpp>
#include <act/search/unibias.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::search {

namespace {

// The tokens that say each label, and the same one after another.
struct label_tokens {
  explicit label_tokens(const tasks::prepared_sample& sample) : of_label(tokens_of(sample)) {
    for (const std::vector<runtime::token_id>& label : of_label)
      all.insert(all.end(), label.begin(), label.end());
  }

  static runtime::answer_tokens tokens_of(const tasks::prepared_sample& sample) {
    if (sample.greedy()) return sample.greedy_tokens;
    runtime::answer_tokens each;
    for (const runtime::token_id word : sample.words)
      each.push_back({word});
    return each;
  }

  // Of a number for every token the largest of each label.
  [[nodiscard]] std::vector<double> largest(std::span<const double> numbers) const {
    std::vector<double> most;
    std::size_t at = 0;
    for (const std::vector<runtime::token_id>& label : of_label) {
      most.push_back(*std::max_element(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                                       numbers.begin() + static_cast<std::ptrdiff_t>(at + label.size())));
      at += label.size();
    }
    return most;
  }

  runtime::answer_tokens of_label;
  std::vector<runtime::token_id> all;
};

runtime::packed_prompts packed(const runtime::model& model, const search_plan& plan,
                               const sample_chunk& chunk) {
  std::vector<std::vector<runtime::token_id>> prompts;
  for (std::size_t i = chunk.begin; i < chunk.end; ++i)
    prompts.push_back(plan.samples[i].prompt);
  return pack(model.config, prompts);
}

}  // namespace

void check_labels(const search_plan& plan, std::string_view asked_by) {
  const auto refuse = [&](const std::string& what) {
    throw error(error_code::invalid_option, asked_by, what);
  };
  if (plan.samples.empty()) refuse("needs a sample");
  if (plan.sources.size() > 1) refuse("looks at one task's labels; give one file");
  const runtime::answer_tokens labels = label_tokens::tokens_of(plan.samples.front());
  if (labels.empty()) {
    refuse("needs label words, the same in every sample; options that are scored by their likelihood are " +
           std::string("each sample's own"));
  }
  for (const tasks::prepared_sample& sample : plan.samples) {
    if (label_tokens::tokens_of(sample) != labels) {
      refuse("needs the same labels in every sample; sample " + std::to_string(sample.index) +
             " has others than sample " + std::to_string(plan.samples.front().index));
    }
  }
}

std::vector<head_criteria> criteria_of_heads(const runtime::model& model, const search_plan& plan,
                                             const std::function<void(std::size_t)>& on_samples) {
  check_labels(plan);
  const label_tokens labels(plan.samples.front());
  const std::size_t layers = plan.range.count(), heads = model.config.heads;
  // Label logits of every sample: of each layer's input, and of each head.
  std::vector<std::vector<std::vector<double>>> inputs(layers), of_heads(layers * heads);
  for (const sample_chunk& chunk : plan.chunks()) {
    const std::vector<runtime::layer_head_logits> found = runtime::head_logits(
        model, packed(model, plan, chunk), plan.range.first, plan.range.last + 1, labels.all);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      for (std::size_t i = 0; i < chunk.size(); ++i) {
        inputs[layer].push_back(labels.largest(found[layer].input[i]));
        for (std::size_t head = 0; head < heads; ++head)
          of_heads[layer * heads + head].push_back(labels.largest(found[layer].heads[i * heads + head]));
      }
    }
    if (on_samples) on_samples(chunk.size());
  }
  std::vector<head_criteria> criteria;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    for (std::size_t head = 0; head < heads; ++head) {
      criteria.push_back(
          criteria_of({plan.range.first + layer, head}, of_heads[layer * heads + head], inputs[layer]));
    }
  }
  return criteria;
}

std::vector<std::vector<double>> label_probabilities(const runtime::model& model, const search_plan& plan,
                                                     std::span<const biased_set> sets,
                                                     const std::function<void(std::size_t)>& on_samples) {
  // Each set's pass keeps a layer's input while the plain one goes on.
  constexpr std::size_t sets_at_once = 8;
  check_labels(plan);
  const label_tokens labels(plan.samples.front());
  std::vector<std::vector<double>> means(sets.size(), std::vector<double>(labels.of_label.size()));
  const auto add = [&](std::size_t set, const runtime::matrix& hidden) {
    for (const std::vector<double>& each : log_probabilities_of(model, hidden, labels.all)) {
      const std::vector<double> most = labels.largest(each);
      for (std::size_t label = 0; label < most.size(); ++label) {
        if (!std::isfinite(most[label])) runtime::refuse_logits(model);
        means[set][label] += std::exp(most[label]) / static_cast<double>(plan.samples.size());
      }
    }
    if (on_samples) on_samples(hidden.rows());
  };
  for (const sample_chunk& chunk : plan.chunks()) {
    const runtime::packed_prompts prompts = packed(model, plan, chunk);
    for (std::size_t first = 0; first < sets.size(); first += sets_at_once) {
      std::vector<runtime::model_calibration> masked;
      for (const biased_set& set : sets.subspan(first, std::min(sets_at_once, sets.size() - first)))
        masked.push_back({.heads = set.heads, .options = {}, .masks = true});
      const runtime::plain_and_each passes = run_each(model, prompts, masked);
      for (std::size_t i = 0; i < masked.size(); ++i)
        add(first + i, masked[i].heads.empty() ? passes.plain : passes.calibrated[i]);
    }
  }
  return means;
}

}  // namespace act::search
