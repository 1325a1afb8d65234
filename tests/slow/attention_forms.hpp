// The forms without a map: fused, corrected after another kernel, and decoding steps.
#pragma once

#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "reference/attention.hpp"
#include "slow/findings.hpp"
#include "slow/map_forms.hpp"

namespace slow {

/// A row's log-sum-exp by the oracle, and its largest logit, from the key that has most of the row.
inline double log_sum_exp(const attention_case& c, const reference::map& m, const reference::tensor& q,
                          const reference::tensor& k, std::size_t b, std::size_t h, std::size_t i,
                          double* largest) {
  std::size_t most = m.keys;
  for (std::size_t j = 0; j < m.keys; ++j) {
    if (m.sees(b, i, j) && (most == m.keys || m.at(b, h, i, j) > m.at(b, h, i, most))) most = j;
  }
  if (most == m.keys) return 0;  // sees nothing
  double logit = 0;
  for (std::size_t n = 0; n < q.channels; ++n)
    logit += q.at(b, h, i, n) * k.at(b, h * k.heads / q.heads, most, n);
  logit /= std::sqrt(static_cast<double>(q.channels));
  if (c.soft_cap > 0) logit = c.soft_cap * std::tanh(logit / c.soft_cap);
  if (!c.slopes.empty()) logit -= static_cast<double>(c.slopes[h]) * static_cast<double>(c.offset + i - most);
  *largest = std::max(*largest, std::abs(logit));
  return logit - std::log(m.at(b, h, i, most));
}

/// The last rows one by one, after a prompt whose column sums start the trackers.
template <class T, class Arch>
void check_steps(const attention_case& c, case_inputs<T>& x, const reference::map& m,
                 const reference::tensor& v, const act::attention_options& options, double computed,
                 findings& f, checker& check) {
  const std::size_t steps = std::min<std::size_t>(c.queries, 1 + c.seed % 3), prompt = c.queries - steps;
  const auto rows = [](act::head_tensor<T> tensor, std::size_t from, std::size_t count) {
    tensor.data = tensor.row(0, 0, from);
    tensor.tokens = count;
    return tensor;
  };
  std::vector<double> sums(c.batches * c.heads * c.keys(), 0.0);
  if (prompt > 0) {
    act::calibrated_attention<T, Arch>(rows(x.q.tensor(), 0, prompt), x.k.tensor(), x.v.tensor(),
                                       rows(x.out.tensor(), 0, prompt), act::layer_heads::all(),
                                       c.calibration(), options, sums);
  }
  std::vector<act::sink_tracker> trackers(c.batches * c.heads, act::sink_tracker(c.calibration()));
  for (std::size_t job = 0; job < trackers.size(); ++job) {
    trackers[job].start(std::span(sums).subspan(job * c.keys(), c.offset + prompt), options.visible,
                        job / c.heads, prompt);
  }
  act::attention_workspace<act::accumulator_t<T>> workspace;
  double worst = 0, largest = rounding<T>::least;
  for (std::size_t i = prompt; i < c.queries; ++i) {
    act::attention_options step_options = options;
    step_options.visible.query_offset = c.offset + i;
    act::decoding_attention<T, Arch>(rows(x.q.tensor(), i, 1), x.k.tensor(), x.v.tensor(),
                                     rows(x.out.tensor(), i, 1), act::layer_heads::all(), trackers,
                                     step_options, workspace);
    for (std::size_t job = 0; job < trackers.size(); ++job) {
      const std::size_t b = job / c.heads, h = job % c.heads;
      reference::map cut = first_rows(m, b, h, i + 1);
      std::vector<std::size_t> seen;
      if (c.initial(b) <= c.offset + i) {
        const std::vector<std::size_t> found(trackers[job].sinks().begin(), trackers[job].sinks().end());
        check_sinks(cut, 0, 0, found, c, 2 * computed, f, check);
        for (const std::size_t s : found) {
          if (cut.sees(0, i, s)) seen.push_back(s);
        }
        if (on_the_edge(cut, 0, 0, i, seen)) {
          ++f.rows_on_the_edge;
          continue;
        }
      }
      reference::calibrate(cut, 0, 0, seen, c.beta);
      for (std::size_t n = 0; n < c.value_channels; ++n) {
        double right = 0;
        for (std::size_t j = 0; j < cut.keys; ++j)
          right += cut.at(0, 0, i, j) * v.at(b, h * v.heads / c.heads, j, n);
        const double error = std::abs(static_cast<double>(x.out.tensor().row(b, h, i)[n]) - right);
        if (!(error <= worst)) worst = error;
        largest = std::max(largest, std::abs(right));
      }
    }
  }
  check.within(f.stepped, "an output of a decoding step", worst / largest, rounding<T>::stored + computed);
}

template <class T, class Arch>
void run_case(const attention_case& c, findings& f) {
  ++f.cases;
  checker check(f, c.seed, c.kind);
  case_inputs<T> x(c);
  const reference::tensor q = x.q.to_reference(), k = x.k.to_reference(), v = x.v.to_reference();
  const reference::map m = c.plain_map(q, k);
  check_map<T, Arch>(c, m, f, check);

  using accumulator = act::accumulator_t<T>;
  double largest_logit = 0;
  std::vector<accumulator> lse;
  for (std::size_t b = 0; b < c.batches; ++b) {
    for (std::size_t h = 0; h < c.heads; ++h) {
      for (std::size_t i = 0; i < c.queries; ++i)
        lse.push_back(static_cast<accumulator>(log_sum_exp(c, m, q, k, b, h, i, &largest_logit)));
    }
  }
  const double computed = 10 * rounding<T>::computed * (16 + largest_logit);
  const act::attention_options options = c.options();
  const auto attend = [&](const act::layer_heads& heads, std::size_t threads) {
    act::set_thread_count(threads);
    return act::calibrated_attention<T, Arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), heads,
                                              c.calibration(), options);
  };

  // Outputs against the oracle's with the sinks that were found; of long prompts the rows at some distance.
  const std::size_t step = c.queries <= 300 ? 1 : c.queries / 64;
  const auto compare = [&](const act::calibration_report& report, record& most, const char* what,
                           double bound, double largest) {
    reference::map expected = m;
    for (const act::head_report& each : report.heads) {
      const std::vector<std::size_t> sinks = positions(each);
      check_sinks(m, each.batch, each.head, sinks, c, 2 * computed, f, check);
      reference::calibrate(expected, each.batch, each.head, sinks, c.beta);
    }
    double worst = 0;
    for (const act::head_report& each : report.heads) {
      const std::vector<std::size_t> sinks = positions(each);
      for (std::size_t i = (c.queries - 1) % step; i < c.queries; i += step) {
        if (on_the_edge(m, each.batch, each.head, i, sinks)) {
          ++f.rows_on_the_edge;
          continue;
        }
        for (std::size_t n = 0; n < c.value_channels; ++n) {
          const double right = reference::mix(expected, v, each.batch, each.head, i, n);
          const double error =
              std::abs(static_cast<double>(x.out.tensor().row(each.batch, each.head, i)[n]) - right);
          if (!(error <= worst)) worst = error;
          largest = std::max(largest, std::abs(right));
        }
      }
    }
    check.within(most, what, worst / largest, bound);
  };

  attend({}, 1);  // the kernel of somebody else
  const std::vector<T> plain = x.out.numbers();
  double largest_plain = rounding<T>::least;
  for (const T each : plain)
    largest_plain = std::max(largest_plain, std::abs(static_cast<double>(each)));
  const double amplified = 1 + 3 * (1 - c.beta);
  const auto fused = attend(act::layer_heads::all(), 1);
  compare(fused, f.fused, "a fused output", rounding<T>::stored + amplified * computed, largest_plain);
  for (const act::head_report& each : fused.heads) {
    const std::vector<double> scores = reference::scores(m, each.batch, each.head);
    for (const act::sink& s : each.sinks) {
      check.within(f.scores, "a sink's score", std::abs(s.score - scores[s.position]) / scores[s.position],
                   2 * computed);
    }
  }
  const std::vector<T> alone = x.out.numbers();
  attend(act::layer_heads::all(), 2 + c.seed % 3);
  check.require(act_test::same_bits(x.out.numbers(), alone),
                "an output that depends on the number of threads");

  const auto correct = [&](std::size_t threads) {
    act::set_thread_count(threads);
    std::copy(plain.begin() + 1, plain.end(), x.out.tensor().data);
    return act::correct_output<T, Arch>(x.out.tensor(), lse, x.q.tensor(), x.k.tensor(), x.v.tensor(),
                                        act::layer_heads::all(), c.calibration(), options);
  };
  const auto corrected = correct(1);
  compare(corrected, f.corrected, "a corrected output",
          rounding<T>::stored + amplified * (rounding<T>::stored + computed), largest_plain);
  const std::vector<T> corrected_alone = x.out.numbers();
  correct(2 + c.seed % 3);
  check.require(act_test::same_bits(x.out.numbers(), corrected_alone),
                "a corrected output that depends on the number of threads");
  check_steps<T, Arch>(c, x, m, v, options, computed, f, check);
}

}  // namespace slow
