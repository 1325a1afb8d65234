// What the slow test finds and what it may find: the largest error of each form, against bounds.
//
// Bounds. u: unit roundoff of what is stored; a: of what is computed in; e = 10 a (16 + L), L the case's
// largest logit, which is wrong by some a L before it is exponentiated.
//
// - map, decoded: a weight is within u + 7 a (double: u + 64 a, sums run in plain order)
// - stepped (decoding_attention): an output is within u + e of the largest output
// - fused: within u + (1 + 3 (1 - beta)) e of the largest output, plain ones included, because a plain output
//   is multiplied by up to that where sinks hold three quarters of a row (by more, up to nine tenths, where
//   it is the unrounded sum of the same weights)
// - corrected: within u + (1 + 3 (1 - beta)) (u + e), the kernel's own output was rounded before
// - scores: relative, 2 e; from a float map 3.1 a, from a double map (queries + 3) a
//
// Sinks equal the oracle's except where the oracle's score is within its bound of the threshold. A row whose
// mass outside of sinks is within a thousandth of 2^-20, where calibration gives up, is left out. Both are
// counted.
#pragma once

#include <act/calibration_report.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <vector>

#include "random/random_case.hpp"
#include "reference/calibration.hpp"
#include "rounding.hpp"

namespace slow {

using act_test::attention_case, act_test::case_inputs, act_test::logits, act_test::rounding;

/// The largest of one kind of error, with its bound.
struct record {
  double error = 0, share = 0;  // share of its bound, which differs from case to case
  unsigned seed = 0;
};

/// What a type's cases found.
struct findings {
  std::size_t cases = 0, sinks = 0, sinks_on_the_edge = 0, rows_on_the_edge = 0, failed = 0;
  record map, decoded, fused, corrected, stepped, scores;
};

class checker {
 public:
  checker(findings& into, unsigned seed, logits kind) : into_(into), seed_(seed), kind_(kind) {}

  void within(record& most, const char* what, double error, double bound) {
    const double share = error / bound;
    if (!(share <= 1)) fail(what, error, bound);
    if (share > most.share) most = {std::max(most.error, error), share, seed_};
    most.error = std::max(most.error, error);
  }
  void require(bool holds, const char* what) {
    if (!holds) fail(what, 0, 0);
  }

 private:
  void fail(const char* what, double error, double bound) {
    ++into_.failed;
    if (failures_++ < 5)
      std::printf("FAILED seed %u (%s logits): %s: %.3e, bound %.3e\n", seed_,
                  act_test::logits_names[static_cast<int>(kind_)], what, error, bound);
  }
  findings& into_;
  unsigned seed_;
  logits kind_;
  int failures_ = 0;
};

/// Are the sinks those of the map, but for scores within `bound` (relative) of the threshold?
inline void check_sinks(const reference::map& m, std::size_t batch, std::size_t head,
                        const std::vector<std::size_t>& found, const attention_case& c, double bound,
                        findings& f, checker& check) {
  const std::vector<double> scores = reference::scores(m, batch, head);
  const reference::settings settings = c.reference_calibration();
  const std::vector<std::size_t> expected = reference::sinks(m, batch, head, settings);
  f.sinks += found.size();
  std::vector<std::size_t> differing;
  std::set_symmetric_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                                std::back_inserter(differing));
  for (const std::size_t j : differing) {
    const double threshold = reference::threshold(m, batch, j, settings);
    ++f.sinks_on_the_edge;
    check.require(std::abs(scores[j] - threshold) <= bound * threshold && j != m.first_key[batch],
                  "a sink that the oracle doesn't find, or the other way round");
  }
}

inline std::vector<std::size_t> positions(const act::head_report& report) {
  std::vector<std::size_t> result;
  for (const act::sink& each : report.sinks)
    result.push_back(each.position);
  return result;
}

}  // namespace slow
