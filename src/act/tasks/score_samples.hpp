// Scores samples with a model, plain and calibrated: one number for each of a sample's answers, the largest
// of which is its prediction.
#pragma once

#include <act/statistics/auc.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {
struct model;
struct model_calibration;
}  // namespace act::runtime

namespace act::tasks {

/// A row a sample, a number an answer: logits of the scored words, or log-likelihoods a byte of the options.
/// With `with_other` one number more, the last: the largest logit of any other token; predicted, it is wrong.
struct sample_scores {
  statistics::score_table plain;
  statistics::score_table contextual = {};  ///< plain less the label prior; empty when not asked for
  statistics::score_table calibrated = {};  ///< empty when no head is calibrated
  bool with_other = false;                  ///< greedy scoring
  /// Which label prior that is: contextual (contextual_prior.hpp), batch (batch_prior.hpp) or domain
  /// (domain_prior.hpp); what results call it.
  std::string prior = "contextual";
};

/// Scores every sample; plain and calibrated passes share the layers below the first calibrated one. Samples
/// with options score each by the mean log-probability of its tokens a byte, others each word by its
/// logit, or the greedy token. `on_batch` is called with the number of samples a batch settled and may throw
/// to interrupt. redistribution::subset gives to each sample's own subset, which the samples must have been
/// prepared with; `calibration.subsets` stays empty. Throws `error` (invalid_input) when the model returns a
/// number that isn't finite, (invalid_option, invalid_shape) for subsets that are missing. Precondition: all
/// samples have words, or all have options, or all are greedy. Memory: one batch of about 1,024 tokens.
[[nodiscard]] sample_scores score_samples(const runtime::model& model,
                                          std::span<const prepared_sample> samples,
                                          const runtime::model_calibration& calibration,
                                          const std::function<void(std::size_t)>& on_batch = {});

/// The same into `scores`, which is empty before: when `on_batch` throws, what was settled stays in it.
void score_samples(const runtime::model& model, std::span<const prepared_sample> samples,
                   const runtime::model_calibration& calibration, sample_scores& scores,
                   const std::function<void(std::size_t)>& on_batch);

/// How many of `samples`, from the first on, are run together: about 1,024 tokens, at least one sample where
/// there are some. Samples run batch by batch, so those behind it begin the next one. What a sample scores is
/// the same to the bit whatever is beside it, but in a batch of a few (product.hpp).
[[nodiscard]] std::size_t first_batch(std::span<const prepared_sample> samples);

/// Whether it needs a part of each prompt, which the samples must have been prepared with: to give to, or to
/// change.
[[nodiscard]] bool needs_part(const runtime::model_calibration& calibration);

/// What samples score in a plain pass and in several calibrated ones.
struct scores_of_each {
  statistics::score_table plain;
  std::vector<statistics::score_table> calibrated;  ///< of each calibration; empty where it names no head
  bool with_other = false;                          ///< see sample_scores
};

/// Sees what a pass scored of each sample, as soon as it has run: that of the calibrations with these
/// numbers, which were one pass; of no number, and last, the plain one. It may throw to interrupt.
using each_scores_seen =
    std::function<void(std::span<const std::size_t> numbers, const statistics::score_table& scores)>;

/// Scores a batch (first_batch) with several calibrations, of which one that names no head is none. Errors
/// and preconditions are score_samples's; at least one sample.
void score_batch(const runtime::model& model, std::span<const prepared_sample> batch,
                 std::span<const runtime::model_calibration> calibrations, const each_scores_seen& seen);

/// As `score_samples` for several calibrations: the plain pass is run once, and so are the lower layers in
/// which some of them agree. `on_batch` and errors are the same.
[[nodiscard]] scores_of_each score_with_each(const runtime::model& model,
                                             std::span<const prepared_sample> samples,
                                             std::span<const runtime::model_calibration> calibrations,
                                             const std::function<void(std::size_t)>& on_batch = {});

}  // namespace act::tasks
