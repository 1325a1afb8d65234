// Every allocation of every form fails in turn: the call throws std::bad_alloc, everything it was given is
// what it was to the bit, and the call made again does its work. A program of its own: it replaces operator
// new.
#include <doctest/doctest.h>
#include <act/act.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "random/random_numbers.hpp"

namespace {

// Until the next allocation fails: 1 is the next one; 0 or less: none does. One thread at a time asks: what
// runs in parallel allocates nothing.
long until_failure = 0;
long allocations = 0;

void* allocate(std::size_t bytes) {
  ++allocations;
  if (until_failure > 0 && --until_failure == 0) throw std::bad_alloc();
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

constexpr std::size_t heads = 4, tokens = 64, channels = 16, sink_key = 7;

/// Inputs with a sink, and everything that calls may write.
struct data {
  std::vector<float> q, k, v, out, plain, map, log_sum_exp;
  std::vector<double> carried;
  std::vector<act::sink_tracker> trackers;  // of a prompt that leaves out the last token

  data()
      : q(heads * tokens * channels),
        k(q.size()),
        v(q.size()),
        out(q.size()),
        plain(q.size()),
        map(heads * tokens * tokens),
        log_sum_exp(heads * tokens, 3),
        carried(heads * tokens, 0.5),
        trackers(heads) {
    act_test::random_numbers random(3);
    for (std::vector<float>* const each : {&q, &k, &v, &out})
      for (float& number : *each)
        number = static_cast<float>(random.normal());
    for (float& number : q)
      number += 0.4F;
    for (std::size_t h = 0; h < heads; ++h)
      std::fill_n(k.begin() + static_cast<std::ptrdiff_t>((h * tokens + sink_key) * channels), channels,
                  1.0F);
    act::attention_weights(tensor(q), tensor(k), weights());
    for (std::size_t h = 0; h < heads; ++h) {
      std::vector<double> sums(tokens, 0.0);
      auto prompt = weights();
      prompt.queries = tokens - 1;
      act::add_column_sums(prompt, 0, h, std::span(sums));
      trackers[h].start(std::span<const double>(sums).first(tokens - 1), {}, 0, tokens - 1);
    }
  }
  data(const data&) = default;
  data& operator=(const data&) = delete;

  [[nodiscard]] static act::head_tensor<float> tensor(std::vector<float>& numbers,
                                                      std::size_t count = tokens) {
    return act::head_tensor<float>::packed(numbers.data(), 1, heads, count, channels);
  }
  [[nodiscard]] act::attention_span<float> weights() {
    return act::attention_span<float>::packed(map.data(), 1, heads, tokens, tokens);
  }
  /// The last token's queries, and where its output goes.
  [[nodiscard]] static act::head_tensor<float> last(std::vector<float>& numbers) {
    act::head_tensor<float> one = tensor(numbers);
    one.data = one.row(0, 0, tokens - 1);
    one.tokens = 1;
    return one;
  }

  [[nodiscard]] bool same_numbers(const data& other) const {
    return q == other.q && k == other.k && v == other.v && out == other.out && plain == other.plain &&
           map == other.map && log_sum_exp == other.log_sum_exp && carried == other.carried;
  }
  [[nodiscard]] bool same_trackers(const data& other) const {
    for (std::size_t h = 0; h < heads; ++h)
      if (trackers[h].save() != other.trackers[h].save()) return false;
    return true;
  }
};

struct form {
  std::string name;
  std::function<void(data&)> call;
};

act::calibration_options with(act::redistribution redistribute) {
  return {.redistribute = redistribute};
}

void attend(data& of, const act::calibration_options& options) {
  const act::layer_heads all = act::layer_heads::all();
  act::calibrated_attention(data::tensor(of.q), data::tensor(of.k), data::tensor(of.v), data::tensor(of.out),
                            all, options);
}

std::vector<form> all_forms() {
  const act::layer_heads all = act::layer_heads::all();
  const std::vector<std::size_t> sinks{sink_key}, subset{1, 2, 3};
  act::calibration_options to_subset = with(act::redistribution::subset);
  to_subset.subset = subset;
  const auto calibrate = [=](const act::calibration_options& options) {
    return [=](data& of) { act::calibrate(of.weights(), all, options); };
  };
  std::vector<form> forms;
  for (const auto& [name, redistribute] : {std::pair("proportional", act::redistribution::proportional),
                                           std::pair("uniform", act::redistribution::uniform),
                                           std::pair("inverse", act::redistribution::inverse),
                                           std::pair("temperature", act::redistribution::temperature)}) {
    const act::calibration_options options = with(redistribute);
    forms.push_back({std::string("calibrate, ") + name, calibrate(options)});
    forms.push_back({std::string("calibrated_attention, ") + name, [=](data& of) { attend(of, options); }});
  }
  const act::calibration_options authors{.behave_as = act::compatibility::authors};
  forms.push_back({"calibrate, authors", calibrate(authors)});
  forms.push_back({"calibrated_attention, authors", [=](data& of) { attend(of, authors); }});
  forms.push_back({"calibrate, subset", [=](data& of) {
                     act::calibration_options options = to_subset;
                     options.subset = subset;
                     act::calibrate(of.weights(), all, options);
                   }});
  forms.push_back(
      {"calibrated copy", [=](data& of) { static_cast<void>(act::calibrated(of.weights(), all)); }});
  forms.push_back(
      {"calibrate_with_sinks", [=](data& of) { act::calibrate_with_sinks(of.weights(), 0, 0, sinks); }});
  forms.push_back({"find_sinks", [=](data& of) { static_cast<void>(act::find_sinks(of.weights(), 0, 0)); }});
  forms.push_back({"calibrated_attention, carried sums", [=](data& of) {
                     act::calibrated_attention(data::tensor(of.q), data::tensor(of.k), data::tensor(of.v),
                                               data::tensor(of.out), all, {}, {}, of.carried);
                   }});
  forms.push_back({"calibrated_attention, corrected, with plain outputs", [=](data& of) {
                     act::attention_workspace<float> workspace;
                     act::calibration_report report;
                     act::calibrated_attention(data::tensor(of.q), data::tensor(of.k), data::tensor(of.v),
                                               data::tensor(of.out), all, {}, {.kept_weights = 0}, workspace,
                                               report, data::tensor(of.plain));
                   }});
  forms.push_back({"correct_output", [=](data& of) {
                     act::correct_output(data::tensor(of.out), std::span<const float>(of.log_sum_exp),
                                         data::tensor(of.q), data::tensor(of.k), data::tensor(of.v), all, {},
                                         {}, {}, of.carried);
                   }});
  forms.push_back({"attention_weights", [=](data& of) {
                     act::attention_weights(data::tensor(of.q), data::tensor(of.k), of.weights());
                   }});
  forms.push_back({"decoding_attention", [=](data& of) {
                     act::attention_workspace<float> workspace;
                     act::decoding_attention(data::last(of.q), data::tensor(of.k), data::tensor(of.v),
                                             data::last(of.out), all, of.trackers,
                                             {.visible = {.query_offset = tokens - 1}}, workspace);
                   }});
  forms.push_back({"sink_tracker: a step that calibrates",
                   [](data& of) { of.trackers[0].calibrate_row(std::span(of.map).last(tokens)); }});
  forms.push_back({"sink_tracker: retract", [](data& of) {
                     of.trackers[0].retract(std::span<const float>(of.map).last(tokens - 1), {0, tokens - 1});
                   }});
  forms.push_back({"sink_tracker: evict", [](data& of) { of.trackers[0].evict({3, 9}); }});
  forms.push_back(
      {"sink_tracker: start", [](data& of) { of.trackers[0].start(of.carried, {}, 0, of.carried.size()); }});
  forms.push_back({"sink_tracker: load", [](data& of) { of.trackers[1].load(of.trackers[0].save()); }});
  return forms;
}

}  // namespace

TEST_CASE("an allocation that fails leaves everything as it was, and the call can be made again") {
  const data before;
  for (const form& each : all_forms()) {
    CAPTURE(each.name);
    data expected = before;
    each.call(expected);
    long failures = 0;
    for (long k = 1;; ++k) {
      REQUIRE(k < 1000);
      data given = before;
      bool threw = false;
      until_failure = k;
      try {
        each.call(given);
      } catch (const std::bad_alloc&) {
        threw = true;
      }
      const bool failed = until_failure == 0;
      until_failure = 0;
      CHECK(threw == failed);
      if (!failed) break;
      ++failures;
      CHECK(given.same_numbers(before));
      CHECK(given.same_trackers(before));
      each.call(given);
      CHECK(given.same_numbers(expected));
      CHECK(given.same_trackers(expected));
    }
    CHECK(failures > 0);
  }
}

TEST_CASE("a tracker that could not grow goes on as one that never failed") {
  act_test::random_numbers random(5);
  std::vector<std::vector<float>> rows;
  for (std::size_t n = 1; n <= 300; ++n) {
    std::vector<float>& row = rows.emplace_back(n);
    for (float& weight : row)
      weight = (0.5F + random.uniform<float>()) / static_cast<float>(n);
    if (n > sink_key) row[sink_key] += 0.5F;
  }
  for (const act::sink_rule rule : {act::sink_rule::relative, act::sink_rule::baseline_corrected}) {
    const act::calibration_options options{.sinks = {.rule = rule}};
    act::sink_tracker never_failed(options);
    for (std::vector<float> row : rows)
      never_failed.calibrate_row(std::span(row));
    for (long k = 1; k < 200; ++k) {
      act::sink_tracker tracker(options);
      until_failure = 0;
      long left = k;
      for (const std::vector<float>& raw : rows) {
        std::vector<float> row = raw;
        until_failure = left;
        try {
          tracker.calibrate_row(std::span(row));
          left = until_failure;
        } catch (const std::bad_alloc&) {
          left = 0;
          CHECK(row == raw);
          tracker.calibrate_row(std::span(row));
        }
        until_failure = 0;
      }
      CHECK(tracker.save() == never_failed.save());
      CHECK(std::vector(tracker.sinks().begin(), tracker.sinks().end()) ==
            std::vector(never_failed.sinks().begin(), never_failed.sinks().end()));
      if (left > 0) break;  // it has no more allocations than that
    }
  }
}

TEST_CASE("after its first call nothing allocates, however many sinks the next map has") {
  data of;
  act::calibration_workspace workspace;
  act::calibration_report report;
  act::calibration_options options{.sinks = {.alpha = 1e9}};
  const act::layer_heads all = act::layer_heads::all();
  act::calibrate(of.weights(), all, options, workspace, report);
  CHECK(report.heads[0].sinks.empty());
  options.sinks.alpha = 0.5;
  const long so_far = allocations;
  act::calibrate(of.weights(), all, options, workspace, report);
  CHECK(allocations == so_far);
  CHECK(report.heads[0].sinks.size() > 8);

  act::attention_workspace<float> memory;
  act::calibrated_attention(data::tensor(of.q), data::tensor(of.k), data::tensor(of.v), data::tensor(of.out),
                            all, {.sinks = {.alpha = 1e9}}, {}, memory, report);
  const long before = allocations;
  act::calibrated_attention(data::tensor(of.q), data::tensor(of.k), data::tensor(of.v), data::tensor(of.out),
                            all, options, {}, memory, report);
  CHECK(allocations == before);
  CHECK(report.heads[0].sinks.size() > 8);
}

TEST_CASE("the forms for engines allocate nothing, the first time neither") {
  data of;
  const act::layer_heads all = act::layer_heads::all();
  const auto q = data::tensor(of.q), k = data::tensor(of.k), v = data::tensor(of.v),
             out = data::tensor(of.out);
  const auto last_q = data::last(of.q), last_out = data::last(of.out);
  const act::attention_options step{.visible = {.query_offset = tokens - 1}};
  std::size_t most = act::calibrate_workspace(of.weights(), all);
  most = std::max(most, act::calibrated_attention_workspace(q, k, v, out, all));
  most = std::max(most, act::correct_output_workspace(out, q, k, v, all));
  most = std::max(most, act::decoding_attention_workspace(last_q, k, v, last_out, step));
  std::vector<std::byte> memory(most);
  std::vector<double> scores(heads * tokens), moved(heads);
  std::vector<std::size_t> counts(heads), positions(heads * tokens);
  const act::call_context context{.workspace = memory,
                                  .report = {scores.data(), counts.data(), positions.data(), moved.data()}};
  for (act::sink_tracker& each : of.trackers)
    each.reserve(tokens);
  std::vector<act::sink_tracker> trackers(1);
  trackers[0].reserve(tokens);

  const long so_far = allocations;
  until_failure = 1;
  bool done = act::try_decoding_attention(last_q, k, v, last_out, all, std::span(of.trackers), step,
                                          context) == act::status::ok;
  done = done && trackers[0].try_start(std::span<const double>(of.carried).first(tokens - 1), {}, 0,
                                       tokens - 1) == act::status::ok;
  done =
      done && trackers[0].try_calibrate_row(std::span(of.map).last(tokens), {0, tokens}) == act::status::ok;
  done = done && act::try_calibrate(of.weights(), all, {.sinks = {.alpha = 0.5}}, context) == act::status::ok;
  done = done && act::try_calibrated_attention(q, k, v, out, all, {}, {}, context, data::tensor(of.plain),
                                               of.carried) == act::status::ok;
  done = done && act::try_correct_output(out, std::span<const float>(of.log_sum_exp), q, k, v, all, {}, {},
                                         context) == act::status::ok;
  // And what is refused.
  done = done && act::try_calibrate(of.weights(), all, {.beta = 3}, context) == act::status::invalid_option;
  done =
      done && act::try_calibrated_attention(q, k, v, q, all, {}, {}, context) == act::status::invalid_shape;
  until_failure = 0;
  CHECK(done);
  CHECK(allocations == so_far);
  CHECK(counts[0] > 0);
}
