#include <act/search/evidence.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <cstddef>

namespace act::search {

void add(head_evidence& evidence, const trial_outcome& outcome) {
  const bool before = statistics::predicted_label(outcome.plain) == outcome.label;
  const bool after = statistics::predicted_label(outcome.calibrated) == outcome.label;
  evidence.correct += after ? 1 : 0;
  evidence.gained += after && !before ? 1 : 0;
  evidence.lost += before && !after ? 1 : 0;
  evidence.with_sinks += outcome.has_sinks ? 1 : 0;
  if (outcome.has_sinks) {
    evidence.log_likelihood_gain += statistics::label_log_likelihood(outcome.calibrated, outcome.label) -
                                    statistics::label_log_likelihood(outcome.plain, outcome.label);
  }
}

void finish(head_evidence& evidence, std::size_t samples) {
  if (samples > 0) evidence.log_likelihood_gain /= static_cast<double>(samples);
}

}  // namespace act::search
