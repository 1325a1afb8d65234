// What runs a model over samples: last_position.hpp, score_samples.hpp, generate_answers.hpp.
#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/greedy_logits.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/statistics/auc.hpp>
#include <act/tasks/generate_answers.hpp>
#include <act/tasks/last_position.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::tasks {

std::vector<std::vector<double>> last_position_scores(const runtime::model& model,
                                                      const runtime::matrix& hidden,
                                                      std::span<const prepared_sample* const> samples) {
  if (!samples.empty() && samples.front()->greedy()) {
    std::vector<const runtime::answer_tokens*> answers;
    for (const prepared_sample* sample : samples)
      answers.push_back(&sample->greedy_tokens);
    return greedy_logits(model, hidden, answers);
  }
  std::vector<std::span<const runtime::token_id>> words;
  for (const prepared_sample* sample : samples)
    words.emplace_back(sample->words);
  return label_logits(model, hidden, words);
}

std::size_t first_batch(std::span<const prepared_sample> samples) {
  // Tall enough for full-speed products; the activations of one layer stay in the last-level cache.
  constexpr std::size_t tokens_per_batch = 1024;
  std::size_t count = 0;
  for (std::size_t tokens = 0; count < samples.size(); ++count) {
    tokens += samples[count].tokens();
    if (count > 0 && tokens > tokens_per_batch) break;
  }
  return count;
}

bool needs_part(const runtime::model_calibration& calibration) {
  return !calibration.heads.empty() && (calibration.options.redistribute == redistribution::subset ||
                                        calibration.options.columns == column_choice::span);
}

namespace {

// Of each text of a batch, the positions that receive, or that are changed. None where nothing is
// redistributed to a subset, and no span is changed.
std::vector<std::vector<std::size_t>> subsets_of(std::span<const prepared_sample> samples,
                                                 const runtime::model_calibration& calibration) {
  std::vector<std::vector<std::size_t>> subsets;
  if (!needs_part(calibration)) return subsets;
  for (const prepared_sample& sample : samples) {
    if (sample.options.empty()) subsets.push_back(sample.subset);
    subsets.insert(subsets.end(), sample.option_subsets.begin(), sample.option_subsets.end());
  }
  return subsets;
}

void score_last_position(const runtime::model& model, std::span<const prepared_sample> samples,
                         std::span<const runtime::model_calibration> calibrations,
                         const each_scores_seen& seen) {
  std::vector<std::vector<runtime::token_id>> prompts;
  std::vector<const prepared_sample*> each;
  for (const prepared_sample& sample : samples) {
    prompts.push_back(sample.prompt);
    each.push_back(&sample);
  }
  run_each(model, pack(model.config, prompts), calibrations,
           [&](std::span<const std::size_t> numbers, const runtime::matrix& left) {
             seen(numbers, last_position_scores(model, left, each));
           });
}

void score_options(const runtime::model& model, std::span<const prepared_sample> samples,
                   std::span<const runtime::model_calibration> calibrations, const each_scores_seen& seen) {
  std::vector<std::vector<runtime::scored_text>> families;
  for (const prepared_sample& sample : samples)
    families.push_back(sample.options);
  sum_log_probabilities_of_each(
      model, families, calibrations, [&](std::span<const std::size_t> numbers, statistics::score_table sums) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
          for (std::size_t option = 0; option < sums[i].size(); ++option)
            sums[i][option] /= static_cast<double>(samples[i].option_bytes[option]);  // a byte's
        }
        seen(numbers, sums);
      });
}

}  // namespace

void score_batch(const runtime::model& model, std::span<const prepared_sample> batch,
                 std::span<const runtime::model_calibration> calibrations, const each_scores_seen& seen) {
  std::vector<runtime::model_calibration> of_batch(calibrations.begin(), calibrations.end());
  std::vector<std::vector<std::vector<std::size_t>>> subsets;
  for (const runtime::model_calibration& calibration : calibrations)
    subsets.push_back(subsets_of(batch, calibration));
  for (std::size_t i = 0; i < of_batch.size(); ++i)
    of_batch[i].subsets = subsets[i];
  const auto finite = [&](std::span<const std::size_t> numbers, const statistics::score_table& scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      for (const double score : scores[i]) {
        if (!std::isfinite(score)) {
          throw error(error_code::invalid_input, "sample " + std::to_string(batch[i].index),
                      "the model's logits aren't finite; its weights are damaged or overflow float32");
        }
      }
    }
    seen(numbers, scores);
  };
  (batch.front().options.empty() ? score_last_position : score_options)(model, batch, of_batch, finite);
}

sample_scores score_samples(const runtime::model& model, std::span<const prepared_sample> samples,
                            const runtime::model_calibration& calibration,
                            const std::function<void(std::size_t)>& on_batch) {
  sample_scores scores;
  score_samples(model, samples, calibration, scores, on_batch);
  return scores;
}

namespace {

// Into `scores`, a batch at a time: what on_batch was called for is there, also when it throws.
void score_batches(const runtime::model& model, std::span<const prepared_sample> samples,
                   std::span<const runtime::model_calibration> calibrations, scores_of_each& scores,
                   const std::function<void(std::size_t)>& on_batch) {
  scores.calibrated.resize(calibrations.size());
  scores.with_other = !samples.empty() && samples.front().greedy();
  const auto move_behind = [](statistics::score_table& table, statistics::score_table& rows) {
    for (std::vector<double>& row : rows)
      table.push_back(std::move(row));
  };
  for (std::size_t first = 0; first < samples.size();) {
    const std::size_t count = first_batch(samples.subspan(first));
    scores_of_each rows{.plain = {}, .calibrated = std::vector<statistics::score_table>(calibrations.size())};
    score_batch(model, samples.subspan(first, count), calibrations,
                [&](std::span<const std::size_t> numbers, const statistics::score_table& of_pass) {
                  if (numbers.empty()) rows.plain = of_pass;
                  for (const std::size_t number : numbers)
                    rows.calibrated[number] = of_pass;
                });
    move_behind(scores.plain, rows.plain);
    for (std::size_t i = 0; i < calibrations.size(); ++i)
      move_behind(scores.calibrated[i], rows.calibrated[i]);
    first += count;
    if (on_batch) on_batch(count);
  }
}

}  // namespace

void score_samples(const runtime::model& model, std::span<const prepared_sample> samples,
                   const runtime::model_calibration& calibration, sample_scores& scores,
                   const std::function<void(std::size_t)>& on_batch) {
  scores_of_each both;
  const auto take = [&] {
    scores.plain = std::move(both.plain);
    scores.calibrated = std::move(both.calibrated.front());
    scores.with_other = both.with_other;
  };
  try {
    score_batches(model, samples, {&calibration, 1}, both, on_batch);
  } catch (...) {
    take();
    throw;
  }
  take();
}

scores_of_each score_with_each(const runtime::model& model, std::span<const prepared_sample> samples,
                               std::span<const runtime::model_calibration> calibrations,
                               const std::function<void(std::size_t)>& on_batch) {
  scores_of_each scores;
  score_batches(model, samples, calibrations, scores, on_batch);
  return scores;
}

generated_answers generate_answers(const runtime::model& with, const runtime::tokenizer& by,
                                   std::span<const prepared_sample> questions,
                                   const runtime::model_calibration& calibration, std::size_t max_new_tokens,
                                   const std::function<void()>& on_token,
                                   const std::function<void()>& on_question) {
  generated_answers answers;
  generate_answers(with, by, questions, calibration, max_new_tokens, answers, on_token, on_question);
  return answers;
}

void generate_answers(const runtime::model& with, const runtime::tokenizer& by,
                      std::span<const prepared_sample> questions,
                      const runtime::model_calibration& calibration, std::size_t max_new_tokens,
                      generated_answers& answers, const std::function<void()>& on_token,
                      const std::function<void()>& on_question) {
  const runtime::generation_options options{.max_new_tokens = max_new_tokens, .stops = {"\n"}};
  const auto token = [&](std::string_view) {
    if (on_token) on_token();
  };
  for (const prepared_sample& question : questions) {
    runtime::generation plain = generate(with, by, question.prompt, {}, options, token);
    if (!calibration.heads.empty())
      answers.calibrated.push_back(generate(with, by, question.prompt, calibration, options, token));
    answers.plain.push_back(std::move(plain));
    if (on_question) on_question();
  }
}

}  // namespace act::tasks
