// Columns scaled and rows renormalised (docs/rivals.md): sinks, the initial token or a span, by factors below
// and above 1, in every form, against the double oracle; heads with strengths of their own; and what the
// forms refuse.
#include <act/calibrate.hpp>
#include <act/calibrate_row.hpp>
#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/logit_bias.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "message_of.hpp"
#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_case.hpp"
#include "random/random_map.hpp"
#include "reference/online_softmax.hpp"

using act_test::attention_case;
using act_test::case_inputs;
using act_test::message_of;
using act_test::random_map;
using index_list = std::vector<std::size_t>;

namespace {

constexpr double factors[] = {0, 0.01, 0.5, 0.9, 1.5, 2, 20, 100};

/// What one seed asks for: which columns, and for some a strength for each head.
struct intervention {
  act::column_choice columns;
  double factor;
  bool proportional;  // the paper's rule, by 0.4, on these columns
  index_list span = {};
  std::vector<double> strengths = {};

  intervention(unsigned seed, std::size_t heads, std::size_t keys)
      : columns(act::column_choice(seed % 3)), factor(factors[seed % 8]), proportional(seed % 7 == 0) {
    for (std::size_t j = seed % 5; columns == act::column_choice::span && j < keys; j += j % 4 == 0 ? 1 : 5)
      span.push_back(j);
    if (columns == act::column_choice::span && span.empty()) span.push_back(0);
    for (std::size_t h = 0; h < heads && seed % 2 == 0; ++h)
      strengths.push_back(proportional ? 0.1 * static_cast<double>(h) : factors[(seed + h) % 8]);
  }

  [[nodiscard]] act::calibration_options options() const {
    act::calibration_options all{.columns = columns, .span = span, .strengths = strengths};
    if (proportional) return all;
    all.redistribute = act::redistribution::renormalised;
    all.factor = factor;
    return all;
  }

  /// The columns of a head whose sinks, should they be wanted, are these.
  [[nodiscard]] index_list columns_of(const reference::map& m, std::size_t batch,
                                      const std::vector<act::sink>& sinks) const {
    index_list found = span;
    if (columns == act::column_choice::initial_token) found = {m.first_key[batch]};
    for (const act::sink& each : sinks)
      found.push_back(each.position);
    return found;
  }
  double apply(reference::map& m, std::size_t b, std::size_t h, const index_list& at) const {
    const double by = strengths.empty() ? (proportional ? 0.4 : factor) : strengths[h];
    return proportional ? reference::calibrate(m, b, h, at, by) : reference::renormalise(m, b, h, at, by);
  }
};

/// Largest difference of an output from the oracle's, relative to the largest output.
template <class T>
double largest_error(const attention_case& c, const reference::map& m, const case_inputs<T>& x) {
  const reference::tensor v = x.v.to_reference();
  double worst = 0, largest = 0;
  for (std::size_t b = 0; b < c.batches; ++b) {
    for (std::size_t h = 0; h < c.heads; ++h) {
      for (std::size_t i = 0; i < c.queries; ++i) {
        for (std::size_t n = 0; n < c.value_channels; ++n) {
          const double expected = reference::mix(m, v, b, h, i, n);
          const double got = static_cast<double>(x.out.tensor().row(b, h, i)[n]);
          CHECK(std::isfinite(got));
          worst = std::max(worst, std::abs(got - expected));
          largest = std::max(largest, std::abs(expected));
        }
      }
    }
  }
  return largest == 0 ? worst : worst / largest;
}

}  // namespace

TEST_CASE_TEMPLATE("maps: the oracle's weights, each row's mass, and nothing that isn't seen", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  std::size_t strengthened = 0;
  for (unsigned seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    random_map<T> map(act_test::random_shape(seed), seed, seed % 4 == 0 ? 0.8 : 1.0);
    const intervention each(seed, map.span().heads, map.span().keys);
    const reference::map before = map.to_reference();
    reference::map expected = before;
    const auto report =
        act::calibrate<T, typename path::arch>(map.span(), act::layer_heads::all(), each.options());
    for (const act::head_report& head : report.heads) {
      if (each.columns != act::column_choice::sinks) CHECK(head.sinks.empty());
      const index_list columns = each.columns_of(before, head.batch, head.sinks);
      const double moved = each.apply(expected, head.batch, head.head, columns);
      CHECK(head.moved_mass == doctest::Approx(moved).epsilon(1e-5));
    }
    const reference::map got = map.to_reference();
    for (std::size_t b = 0; b < got.batches; ++b) {
      for (std::size_t h = 0; h < got.heads; ++h) {
        for (std::size_t i = 0; i < got.queries; ++i) {
          double mass_before = 0, mass_after = 0;
          for (std::size_t j = 0; j < got.keys; ++j) {
            CHECK(std::abs(got.at(b, h, i, j) - expected.at(b, h, i, j)) <= path::tolerance);
            if (!got.sees(b, i, j)) CHECK(got.at(b, h, i, j) == 0);
            mass_before += before.at(b, h, i, j);
            mass_after += got.at(b, h, i, j);
            if (each.columns == act::column_choice::sinks && got.at(b, h, i, j) > before.at(b, h, i, j))
              ++strengthened;
          }
          CHECK(std::abs(mass_after - mass_before) <= 1e-6 * mass_before);
        }
      }
    }
  }
  CHECK(strengthened > 100);
}

TEST_CASE_TEMPLATE("the forms without a map: fused, corrected, and step by step", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  using Arch = typename path::arch;
  const double bound = sizeof(T) == 8 ? 1e-11 : 1e-5;
  double worst_fused = 0, worst_corrected = 0, worst_step = 0;
  for (unsigned seed = 1; seed <= 96; ++seed) {
    CAPTURE(seed);
    attention_case c = act_test::short_case(seed);
    if (seed % 2 == 0) c.kept_weights = 0;
    case_inputs<T> x(c);
    const intervention each(seed, c.heads, c.keys());
    const reference::tensor q = x.q.to_reference(), k = x.k.to_reference(), v = x.v.to_reference();
    const reference::map plain = c.plain_map(q, k);
    const auto expected_of = [&](const act::calibration_report& report) {
      reference::map m = plain;
      for (const act::head_report& head : report.heads) {
        const index_list columns = each.columns_of(plain, head.batch, head.sinks);
        const double moved = each.apply(m, head.batch, head.head, columns);
        CHECK(head.moved_mass == doctest::Approx(moved).epsilon(1e-4));
      }
      return m;
    };
    const auto report =
        act::calibrated_attention<T, Arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                           act::layer_heads::all(), each.options(), c.options());
    const double fused = largest_error(c, expected_of(report), x);
    CHECK(fused <= bound);
    worst_fused = std::max(worst_fused, fused);

    const auto kernel =
        reference::online_softmax<act::accumulator_t<T>>(plain, q, k, v, c.reference_attention());
    for (std::size_t row = 0; row < c.batches * c.heads * c.queries; ++row) {
      T* const to = x.out.tensor().row(row / c.queries / c.heads, row / c.queries % c.heads, row % c.queries);
      for (std::size_t n = 0; n < c.value_channels; ++n)
        to[n] = static_cast<T>(kernel.outputs[row * c.value_channels + n]);
    }
    const auto corrections =
        act::correct_output<T, Arch>(x.out.tensor(), kernel.log_sum_exp, x.q.tensor(), x.k.tensor(),
                                     x.v.tensor(), act::layer_heads::all(), each.options(), c.options());
    const double corrected = largest_error(c, expected_of(corrections), x);
    CHECK(corrected <= 10 * bound);  // another kernel's roundings grow by the rows' factors
    worst_corrected = std::max(worst_corrected, corrected);

    // Every row as a step: only the columns that a caller or the position chooses are the same as in a map.
    if (each.columns == act::column_choice::sinks || c.offset > 0 || c.spare > 0) continue;
    std::vector<act::sink_tracker> trackers;
    for (std::size_t job = 0; job < c.batches * c.heads; ++job) {
      trackers.emplace_back(each.options().of_head(job % c.heads));
      trackers.back().start({}, c.options().visible, job / c.heads, 0);
    }
    act::attention_workspace<act::accumulator_t<T>> workspace;
    act::decoding_attention<T, Arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(),
                                     act::layer_heads::all(), trackers, c.options(), workspace);
    const double stepped = largest_error(c, expected_of(report), x);
    CHECK(stepped <= bound);
    worst_step = std::max(worst_step, stepped);
  }
  MESSAGE("largest errors relative to the largest output: fused "
          << worst_fused << ", corrected " << worst_corrected << ", stepped " << worst_step);
  CHECK(worst_step > 0);
}

TEST_CASE("a prompt in chunks, and one that is too long for its weights to be kept") {
  for (const std::size_t queries : {300UL, 1200UL}) {
    attention_case c{.seed = 5, .queries = queries, .channels = 24, .value_channels = 10};
    c.kept_weights = queries == 300 ? c.kept_weights : 0;
    case_inputs<float> x(c);
    reference::map m = c.plain_map(x.q.to_reference(), x.k.to_reference());
    index_list span;
    for (std::size_t j = 40; j < 130; ++j)
      span.push_back(j);
    const act::calibration_options options{.redistribute = act::redistribution::renormalised,
                                           .columns = act::column_choice::span,
                                           .span = span,
                                           .factor = 20};
    for (std::size_t h = 0; h < c.heads; ++h)
      reference::renormalise(m, 0, h, span, 20);
    std::vector<double> sums(c.heads * queries, 0.0);
    const auto rows = [](act::head_tensor<float> tensor, std::size_t from, std::size_t count) {
      tensor.data = tensor.row(0, 0, from);
      tensor.tokens = count;
      return tensor;
    };
    for (const auto& [from, count] : {std::pair{0UL, 170UL}, std::pair{170UL, queries - 170}}) {
      act::attention_options at = c.options();
      at.visible.query_offset = from;
      act::calibrated_attention<float>(rows(x.q.tensor(), from, count), x.k.tensor(), x.v.tensor(),
                                       rows(x.out.tensor(), from, count), act::layer_heads::all(), options,
                                       at, sums);
    }
    CHECK(largest_error(c, m, x) <= 1e-5);
    // The raw sums went on all the same: each row has a mass of 1.
    double mass = 0;
    for (const double each : sums)
      mass += each;
    CHECK(mass == doctest::Approx(static_cast<double>(c.heads * queries)));
  }
}

TEST_CASE("a bias of ln(factor) on the columns' scores is the same row") {
  const std::vector<double> row{0.5, 0.2, 0.2, 0.1};
  for (const double factor : {0.01, 0.5, 2.0, 100.0}) {
    const act::calibration_options options{.redistribute = act::redistribution::renormalised,
                                           .factor = factor};
    std::vector<double> scaled = row;
    const double moved = act::calibrate_row<double>(scaled, {0, 4}, index_list{0, 2}, options);
    const act::row_bias bias = act::logit_bias(0.7, 0.3, options);
    CHECK(bias.sinks == doctest::Approx(std::log(factor)));
    double sum = 0;
    for (std::size_t j = 0; j < 4; ++j)
      sum += row[j] * (j % 2 == 0 ? std::exp(bias.sinks) : 1);
    for (std::size_t j = 0; j < 4; ++j)
      CHECK(scaled[j] == doctest::Approx(row[j] * (j % 2 == 0 ? std::exp(bias.sinks) : 1) / sum));
    CHECK(moved == doctest::Approx(std::abs(scaled[0] + scaled[2] - 0.7)));
    // A learned sink's exponential is what the denominator becomes, so that its share stays.
    CHECK(std::exp(bias.learned_sink) == doctest::Approx(sum));
  }
  CHECK(act::logit_bias(0.7, 0.3, {.redistribute = act::redistribution::renormalised}).sinks == 0);
}

TEST_CASE("while decoding, columns leave the cache with their keys, and a saved state knows") {
  const index_list span{1, 2, 5};
  const act::calibration_options options{.redistribute = act::redistribution::renormalised,
                                         .columns = act::column_choice::span,
                                         .span = span,
                                         .factor = 4};
  act::sink_tracker tracker(options);
  const auto step = [](act::sink_tracker& by, std::size_t keys) {
    std::vector<float> row(keys, 1.0F / static_cast<float>(keys));
    by.calibrate_row(std::span<float>(row));
    return row;
  };
  for (std::size_t keys = 1; keys < 8; ++keys)
    step(tracker, keys);
  std::vector<float> row = step(tracker, 8);
  CHECK(row[1] == doctest::Approx(4 * row[0]));
  CHECK(row[5] == doctest::Approx(4 * row[0]));
  CHECK(row[3] == row[0]);
  tracker.evict({1, 4});  // 5 is now 2
  const std::vector<std::byte> saved = tracker.save();
  act::sink_tracker restored(options);
  restored.load(saved);
  act::sink_tracker of_sinks({.redistribute = act::redistribution::renormalised, .factor = 4});
  CHECK_THROWS_AS(of_sinks.load(saved), act::error);
  CHECK_THROWS_AS(restored.load(of_sinks.save()), act::error);
  for (act::sink_tracker* const each : {&tracker, &restored}) {
    row = step(*each, 6);
    CHECK(row[2] == doctest::Approx(4 * row[0]));
    CHECK(row[1] == row[0]);
    CHECK(row[5] == row[0]);
  }
  tracker.start({}, {}, 0, 0);  // another prompt has the whole span again
  for (std::size_t keys = 1; keys < 7; ++keys)
    row = step(tracker, keys);
  CHECK(row[5] == doctest::Approx(4 * row[0]));

  act::sink_tracker initial({.redistribute = act::redistribution::renormalised,
                             .columns = act::column_choice::initial_token,
                             .factor = 0.5});
  step(initial, 1);
  row = step(initial, 2);
  CHECK(row[0] == doctest::Approx(0.5 * row[1]));
  initial.evict({0, 1});
  row = step(initial, 2);
  CHECK(row[0] == row[1]);
}

TEST_CASE("what options and forms refuse, by name") {
  const index_list some{1, 4}, disordered{4, 1};
  const std::vector<double> strengths{0.5, 2};
  constexpr auto renormalised = act::redistribution::renormalised;
  const auto wrong = [](const act::calibration_options& options) {
    return std::string(options.validate().where);
  };
  CHECK(wrong({.columns = act::column_choice::span, .span = some}).empty());
  CHECK(wrong({.columns = act::column_choice::span}) == "span");
  CHECK(wrong({.span = some}) == "span");
  CHECK(wrong({.columns = act::column_choice::span, .span = disordered}) == "span");
  CHECK(wrong({.columns = static_cast<act::column_choice>(9)}) == "columns");
  CHECK(wrong({.redistribute = act::redistribution::uniform, .columns = act::column_choice::initial_token}) ==
        "columns");
  CHECK(wrong({.behave_as = act::compatibility::authors, .columns = act::column_choice::initial_token}) ==
        "columns");
  CHECK(wrong({.factor = 2}) == "factor");
  for (const double bad : {-1.0, 1e-7, 1e7, std::nan("")})
    CHECK(wrong({.redistribute = renormalised, .factor = bad}) == "factor");
  CHECK(wrong({.strengths = strengths}) == "strengths");
  CHECK(wrong({.redistribute = renormalised, .strengths = strengths}).empty());
  CHECK(wrong({.redistribute = act::redistribution::temperature, .strengths = strengths}) == "strengths");

  std::vector<float> map(2 * 3 * 3, 0.25F);
  const auto span = act::attention_span<float>::packed(map.data(), 1, 2, 3, 3);
  CHECK(message_of([&] {
          act::calibrate(span, {0}, {.columns = act::column_choice::span, .span = some});
        }).starts_with("span: "));
  const act::calibration_options each_head{.redistribute = renormalised, .strengths = strengths};
  CHECK_NOTHROW(act::calibrate(span, {0}, each_head));
  const auto one = act::attention_span<float>::packed(map.data(), 1, 1, 3, 3);
  CHECK(message_of([&] { act::calibrate(one, {0}, each_head); }).starts_with("strengths: "));
  std::vector<float> row(3, 0.3F);
  CHECK(message_of([&] {
          act::calibrate_row<float>(row, {0, 3}, index_list{1}, each_head);
        }).starts_with("strengths: "));
  CHECK(
      message_of([&] {
        act::calibrate_row<float>(row, {0, 3}, index_list{1}, {.columns = act::column_choice::initial_token});
      }).starts_with("columns: "));
  CHECK(message_of([&] {
          act::calibrate_with_sinks(span, 0, 0, index_list{1},
                                    {.columns = act::column_choice::initial_token});
        }).starts_with("columns: "));
  CHECK(message_of([&] { act::sink_tracker{each_head}; }).starts_with("strengths: "));
  CHECK(message_of([&] { (void)act::logit_bias(0.5, 0.5, each_head); }).starts_with("strengths: "));
}
