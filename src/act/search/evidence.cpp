#include <act/head_set.hpp>
#include <act/search/evidence.hpp>
#include <act/search/trial_table.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::search {

std::vector<head_evidence> evidence_of(const trial_table& trials) {
  std::vector<head_evidence> evidence;
  for (std::size_t head = 0; head < trials.heads().size(); ++head) {
    head_evidence record{.layer = trials.heads()[head].layer,
                         .head = trials.heads()[head].head,
                         .strength = trials.strength(head),
                         .estimated = trials.estimated(head)};
    for (std::size_t sample = 0; sample < trials.samples().size(); ++sample) {
      if (!trials.known(head, sample)) continue;
      record.tried += 1;
      const std::span<const double> plain = trials.plain(sample),
                                    calibrated = trials.calibrated(head, sample);
      const std::size_t label = trials.samples()[sample].label;
      const bool before = statistics::predicted_label(plain) == label;
      const bool after = statistics::predicted_label(calibrated) == label;
      record.correct += after ? 1 : 0;
      record.gained += after && !before ? 1 : 0;
      record.lost += before && !after ? 1 : 0;
      if (trials.has_sinks(head, sample)) {
        record.with_sinks += 1;
        record.log_likelihood_gain += statistics::label_log_likelihood(calibrated, label) -
                                      statistics::label_log_likelihood(plain, label);
      }
    }
    if (record.tried > 0) record.log_likelihood_gain /= static_cast<double>(record.tried);
    evidence.push_back(record);
  }
  return evidence;
}

}  // namespace act::search
