// Output correction, of what another kernel leaves behind: its outputs, rounded to their type, and its
// log-sum-exps become what the double oracle makes of the whole map. The kernel is a plain one
// (reference/online_softmax.hpp): act's own would agree with act's errors.
#include <act/correct_output.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_case.hpp"
#include "random/random_map.hpp"
#include "reference/online_softmax.hpp"
#include "rounding.hpp"

using act_test::attention_case;
using act_test::case_inputs;
using act_test::random_attention;

namespace {

using half_path = act_test::path<act::float16, act::simd::default_arch>;
using brain_path = act_test::path<act::bfloat16, act::simd::default_arch>;

/// What the corrections of many cases came across.
struct corrections {
  double error = 0, share = 0;  // the largest, relative to the largest output; and of its bound
  std::size_t sinks = 0, calibrated_rows = 0, mostly_on_sinks = 0, nearly_all_on_sinks = 0;
};

/// A case, the oracle's map of it, and another kernel's outputs and log-sum-exps.
template <class T, class Arch>
class foreign_outputs {
 public:
  using A = act::accumulator_t<T>;

  explicit foreign_outputs(const attention_case& c)
      : c_(c),
        x_(c),
        v_(x_.v.to_reference()),
        plain_(c.plain_map(x_.q.to_reference(), x_.k.to_reference())),
        kernel_(reference::online_softmax<A>(plain_, x_.q.to_reference(), x_.k.to_reference(), v_,
                                             c.reference_attention())) {
    for (std::size_t h = 0; h + 1 < c.heads || h == 0; ++h)
      chosen_.push_back(h);
    restore();
    before_ = x_.out.to_reference();
    // tests/slow/findings.hpp says why.
    using unit = act_test::rounding<T>;
    const double computed = 10 * unit::computed * (16 + kernel_.largest_logit);
    bound_ = unit::stored + (1 + 3 * (1 - c.beta)) * (unit::stored + computed);
    score_bound_ = 2 * computed;
  }

  /// With scores that are found, or those of the oracle.
  void correct_whole(bool given, corrections& found) {
    restore();
    std::vector<double> scores;
    for (std::size_t job = 0; given && job < c_.batches * c_.heads; ++job) {
      for (const double each : reference::scores(plain_, job / c_.heads, job % c_.heads))
        scores.push_back(each);
    }
    const auto report = act::correct_output<T, Arch>(x_.out.tensor(), kernel_.log_sum_exp, x_.q.tensor(),
                                                     x_.k.tensor(), x_.v.tensor(), act::layer_heads(chosen_),
                                                     c_.calibration(), c_.options(), scores);
    REQUIRE(report.heads.size() == c_.batches * chosen_.size());
    for (const act::head_report& each : report.heads) {
      reference::map head = reference::first_rows(plain_, each.batch, each.head, c_.queries);
      compare_rows(head, each, 0, given ? 0 : score_bound_, found);
    }
    check_unchosen();
  }

  /// In chunks, each with the sums of those before; of a case without an offset, as sums are of all rows.
  void correct_in_chunks(std::size_t rows, corrections& found) {
    restore();
    std::vector<double> sums(c_.batches * c_.heads * c_.keys(), 0.0);
    for (std::size_t from = 0; from < c_.queries; from += rows) {
      const std::size_t count = std::min(rows, c_.queries - from);
      const auto chunk = [&](act::head_tensor<T> tensor) {
        tensor.data = tensor.row(0, 0, from);
        tensor.tokens = count;
        return tensor;
      };
      std::vector<A> lse;
      for (std::size_t job = 0; job < c_.batches * c_.heads; ++job) {
        for (std::size_t i = from; i < from + count; ++i)
          lse.push_back(kernel_.log_sum_exp[job * c_.queries + i]);
      }
      act::attention_options options = c_.options();
      options.visible.query_offset += from;
      const auto report = act::correct_output<T, Arch>(
          chunk(x_.out.tensor()), lse, chunk(x_.q.tensor()), x_.k.tensor(), x_.v.tensor(),
          act::layer_heads(chosen_), c_.calibration(), options, {}, sums);
      for (const act::head_report& each : report.heads) {
        reference::map so_far = reference::first_rows(plain_, each.batch, each.head, from + count);
        compare_rows(so_far, each, from, score_bound_, found);
      }
    }
    check_unchosen();
  }

 private:
  /// The kernel's outputs, rounded to T.
  void restore() {
    for (std::size_t b = 0; b < c_.batches; ++b) {
      for (std::size_t h = 0; h < c_.heads; ++h) {
        for (std::size_t i = 0; i < c_.queries; ++i) {
          for (std::size_t n = 0; n < c_.value_channels; ++n)
            x_.out.tensor().row(b, h, i)[n] =
                static_cast<T>(kernel_.outputs[at(b, h, i) * c_.value_channels + n]);
        }
      }
    }
  }

  [[nodiscard]] std::size_t at(std::size_t b, std::size_t h, std::size_t i) const {
    return (b * c_.heads + h) * c_.queries + i;
  }

  /// The rows of `head` from `first` on; its map's mass is what the report says has moved.
  void compare_rows(reference::map& head, const act::head_report& report, std::size_t first,
                    double score_bound, corrections& found) {
    std::vector<std::size_t> sinks;
    for (const act::sink& each : report.sinks)
      sinks.push_back(each.position);
    check_sinks(head, sinks, score_bound);
    found.sinks += sinks.size();
    const reference::map plain = head;
    reference::calibrate(head, 0, 0, sinks, c_.beta);
    double worst = 0, largest = act_test::rounding<T>::least, moved = 0;
    for (const double each : before_.numbers)
      largest = std::max(largest, std::abs(each));
    const std::size_t group = report.head * c_.kv_heads / c_.heads;
    for (std::size_t i = first; i < head.queries; ++i) {
      double on_sinks = 0, total = 0;
      for (const std::size_t s : sinks)
        on_sinks += plain.at(0, 0, i, s);
      for (std::size_t j = 0; j < head.keys; ++j)
        total += plain.at(0, 0, i, j);
      if (reference::on_the_edge(plain, 0, 0, i, sinks)) continue;
      if (total - on_sinks >= total / 1048576) moved += (1 - c_.beta) * on_sinks;
      found.calibrated_rows += on_sinks > 0 ? 1 : 0;
      found.mostly_on_sinks += on_sinks > 0.75 * total ? 1 : 0;
      found.nearly_all_on_sinks += on_sinks > 0.99 * total ? 1 : 0;
      for (std::size_t n = 0; n < c_.value_channels; ++n) {
        double right = 0;
        for (std::size_t j = 0; j < head.keys; ++j)
          right += head.at(0, 0, i, j) * v_.at(report.batch, group, j, n);
        const double error =
            std::abs(static_cast<double>(x_.out.tensor().row(report.batch, report.head, i)[n]) - right);
        if (!(error <= worst)) worst = error;  // NaN too
        largest = std::max(largest, std::abs(right));
      }
    }
    CHECK(worst <= bound_ * largest);
    CHECK(report.moved_mass == doctest::Approx(moved).epsilon(1e-4));
    found.error = std::max(found.error, worst / largest);
    found.share = std::max(found.share, worst / largest / bound_);
  }

  /// The oracle's, but for keys whose score is within rounding of the threshold.
  void check_sinks(const reference::map& head, const std::vector<std::size_t>& sinks, double bound) {
    const reference::settings settings = c_.reference_calibration();
    const std::vector<std::size_t> expected = reference::sinks(head, 0, 0, settings);
    if (sinks == expected) return;
    const std::vector<double> scores = reference::scores(head, 0, 0);
    std::vector<std::size_t> differing;
    std::set_symmetric_difference(sinks.begin(), sinks.end(), expected.begin(), expected.end(),
                                  std::back_inserter(differing));
    for (const std::size_t j : differing) {
      const double threshold = reference::threshold(head, 0, j, settings);
      CHECK(std::abs(scores[j] - threshold) <= bound * threshold);
    }
  }

  void check_unchosen() {
    bool untouched = true;
    for (std::size_t b = 0; b < c_.batches; ++b) {
      for (std::size_t h = chosen_.size(); h < c_.heads; ++h) {
        for (std::size_t i = 0; i < c_.queries; ++i) {
          for (std::size_t n = 0; n < c_.value_channels; ++n)
            untouched =
                untouched && static_cast<double>(x_.out.tensor().row(b, h, i)[n]) == before_.at(b, h, i, n);
        }
      }
    }
    CHECK(untouched);
  }

  attention_case c_;
  case_inputs<T> x_;
  reference::tensor v_, before_;
  reference::map plain_;
  reference::kernel_result<A> kernel_;
  std::vector<std::size_t> chosen_;  // all heads but the last, where there are several
  double bound_ = 0, score_bound_ = 0;
};

/// Each kind of visibility and logits alone, then what is drawn, then rows that have nearly everything on
/// sinks.
std::vector<attention_case> foreign_cases() {
  const attention_case usual{.heads = 4, .kv_heads = 2, .queries = 50, .channels = 24, .value_channels = 24};
  std::vector<attention_case> cases;
  const auto add = [&](auto&& change) {
    attention_case c = usual;
    c.seed = static_cast<unsigned>(cases.size() + 1);
    change(c);
    cases.push_back(c);
  };
  add([](attention_case&) {});
  add([](attention_case& c) { c.queries = 1, c.offset = 70; });
  add([](attention_case& c) { c.queries = 70, c.window = 17; });
  add([](attention_case& c) { c.queries = 33, c.offset = 9, c.first_key = {4}; });
  add([](attention_case& c) { c.sink_logits = {0.5F, -1, 2, 0}; });
  add([](attention_case& c) { c.slopes = {0.5F, 0.25F, 0.125F, 0.0625F}; });
  add([](attention_case& c) { c.soft_cap = 5; });
  add([](attention_case& c) { c.batches = 2, c.first_key = {0, 50}; });  // one that sees nothing
  add([](attention_case& c) { c.absolute_rule = true, c.interleaved = true; });
  add([](attention_case& c) { c.beta = 0; });
  for (const double draw : {9.0, 14.0, 20.0}) {
    add([&](attention_case& c) { c.draw = draw; });
    add([&](attention_case& c) { c.draw = draw, c.queries = 150, c.heads = 6, c.window = 60; });
  }
  for (unsigned seed = 1; seed <= 24; ++seed)
    cases.push_back(act_test::short_case(seed));
  return cases;
}

}  // namespace

TEST_CASE_TEMPLATE("another kernel's outputs become the oracle's, whole and in chunks", path, ACT_TEST_PATHS,
                   half_path, brain_path) {
  corrections found;
  std::size_t number = 0;
  for (const attention_case& c : foreign_cases()) {
    CAPTURE(number);
    ++number;
    foreign_outputs<typename path::element, typename path::arch> of(c);
    of.correct_whole(false, found);
    of.correct_whole(true, found);
    attention_case prompt = c;
    prompt.queries += prompt.offset;
    prompt.offset = 0;
    foreign_outputs<typename path::element, typename path::arch> whole(prompt);
    for (const std::size_t rows : {1 + prompt.queries / 3, std::size_t{16}}) {
      CAPTURE(rows);
      whole.correct_in_chunks(rows, found);
    }
  }
  if (std::is_same_v<typename path::element, float>) CHECK(found.error <= 1e-5);  // as fused outputs
  CHECK(found.sinks > 1000);
  CHECK(found.calibrated_rows > 5000);
  CHECK(found.mostly_on_sinks > 1000);
  CHECK(found.nearly_all_on_sinks > 500);
  MESSAGE("largest error relative to the largest output: "
          << found.error << ", " << 100 * found.share << " % of its bound; " << found.sinks << " sinks, "
          << found.calibrated_rows << " rows, " << found.mostly_on_sinks << " with most on sinks, "
          << found.nearly_all_on_sinks << " with nearly all");
}

TEST_CASE_TEMPLATE("a row whose scores are all -infinity weighs nothing, and its neighbours what they do",
                   path, ACT_TEST_PATHS) {
  using T = typename path::element;
  constexpr std::size_t tokens = 24, spoilt = 3;
  random_attention<T> x(1, 1, 1, tokens, tokens, 4, 4, 5);
  for (std::size_t j = 0; j < tokens; ++j)
    x.k.tensor().row(0, 0, j)[0] = T(1);
  x.q.tensor().row(0, 0, spoilt)[0] = -std::numeric_limits<T>::infinity();
  std::vector<T> lse(tokens);
  std::vector<double> expected(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    std::vector<double> weights(i + 1);
    double sum = 0;
    for (std::size_t j = 0; j <= i; ++j) {
      double score = 0;
      for (std::size_t c = 0; c < 4; ++c)
        score += static_cast<double>(x.q.tensor().row(0, 0, i)[c]) *
                 static_cast<double>(x.k.tensor().row(0, 0, j)[c]);
      sum += weights[j] = std::exp(score / 2);
    }
    lse[i] = static_cast<T>(std::log(sum));
    for (std::size_t j = 0; j <= i && i != spoilt; ++j)
      expected[j] += weights[j] / sum;
  }
  REQUIRE(std::isinf(lse[spoilt]));
  const auto before = x.out.numbers();
  std::vector<double> sums(tokens);
  act::correct_output<T, typename path::arch>(x.out.tensor(), lse, x.q.tensor(), x.k.tensor(), x.v.tensor(),
                                              act::layer_heads::all(), {}, {}, {}, sums);
  for (std::size_t j = 0; j < tokens; ++j)
    CHECK(sums[j] == doctest::Approx(expected[j]).epsilon(1e-4));
  for (std::size_t c = 0; c < 4; ++c)
    CHECK(x.out.tensor().row(0, 0, spoilt)[c] == before[1 + spoilt * 4 + c]);
}

TEST_CASE("outputs, sums and scores of the wrong size are refused before the first write") {
  random_attention<float> x(1, 2, 2, 8, 8, 4, 4, 1);
  const auto before = x.out.numbers();
  const std::vector<float> short_lse(15), lse(16);
  const std::vector<double> short_scores(15);
  const auto all = act::layer_heads::all();
  CHECK_THROWS_AS(
      act::correct_output<float>(x.out.tensor(), short_lse, x.q.tensor(), x.k.tensor(), x.v.tensor(), all),
      act::error);
  CHECK_THROWS_AS(act::correct_output<float>(x.out.tensor(), lse, x.q.tensor(), x.k.tensor(), x.v.tensor(),
                                             all, {}, {}, short_scores),
                  act::error);
  CHECK(act_test::same_bits(x.out.numbers(), before));
}
