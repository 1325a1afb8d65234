// The body of every unit: the same source, compiled once for each instruction set. act takes the set from the
// compiler's flags, so units share none of these functions. ACT_C_DOUBLE: the unit that has maps and
// attention in double too.
#pragma once

#include <act/c.h>
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/half.hpp>
#include <act/parallel.hpp>
#include <act/sink_tracker.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "entry_points.hpp"

namespace {

using act_c::attention_arguments;
using act_c::attention_form;
using act_c::call_arguments;
using act_c::map_arguments;
using trackers_type = std::vector<act::sink_tracker>;

[[nodiscard]] act::status refuse(act::problem* refused, act::status code, const char* where,
                                 const char* message) noexcept {
  if (refused != nullptr) *refused = {where, message};
  return code;
}

/// use(an element of the type).
template <class Result, class Use>
[[nodiscard]] Result with_type(act_type type, Result otherwise, Use&& use) {
  switch (type) {
    case ACT_FLOAT32:
      return use(float());
    case ACT_FLOAT16:
      return use(act::float16());
    case ACT_BFLOAT16:
      return use(act::bfloat16());
    default:
      return otherwise;
  }
}
/// With double, which maps and attention have in one unit only.
template <class Result, class Use>
[[nodiscard]] Result with_any_type(act_type type, Result otherwise, Use&& use) {
#if defined(ACT_C_DOUBLE)
  if (type == ACT_FLOAT64) return use(double());
#endif
  return with_type(type, otherwise, use);
}

/// use(an output's element, a cache's element) of the pairs that there are.
template <class Result, class Use>
[[nodiscard]] Result with_types(act_type out, act_type cache, Result otherwise, Use&& use) {
  if (out == cache) return with_any_type(out, otherwise, [&](auto element) { return use(element, element); });
  if (out == ACT_FLOAT32 && cache == ACT_FLOAT16) return use(float(), act::float16());
  if (out == ACT_FLOAT32 && cache == ACT_BFLOAT16) return use(float(), act::bfloat16());
  return otherwise;
}

[[nodiscard]] std::span<const std::size_t> list(const std::size_t* data, std::size_t count) noexcept {
  return data == nullptr ? std::span<const std::size_t>() : std::span(data, count);
}

[[nodiscard]] act::visibility visibility_of(const act_visibility& from, std::size_t batches) noexcept {
  return {.query_offset = from.query_offset,
          .first_key = list(from.first_key, batches),
          .window = from.window,
          .query_offsets = list(from.query_offsets, batches),
          .query_counts = list(from.query_counts, batches),
          .all_keys = from.all_keys,
          .key_counts = list(from.key_counts, batches)};
}

[[nodiscard]] act::calibration_options options_of(const act_options& from) noexcept {
  act::calibration_options to;
  to.sinks = {static_cast<act::sink_rule>(from.rule), from.alpha, from.tau, from.min_visible_rows,
              from.position_limit};
  to.beta = from.beta;
  to.redistribute = static_cast<act::redistribution>(from.redistribute);
  to.theta = from.theta;
  to.subset = list(from.subset, from.subset_count);
  to.behave_as = from.authors != 0 ? act::compatibility::authors : act::compatibility::none;
  to.columns = static_cast<act::column_choice>(from.columns);
  to.span = list(from.span, from.span_count);
  to.factor = from.factor;
  if (from.strengths != nullptr) to.strengths = std::span(from.strengths, from.strength_count);
  return to;
}

template <class T>
[[nodiscard]] act::attention_span<T> map_of(const map_arguments& of) noexcept {
  const act_map& m = of.map;
  return {static_cast<T*>(m.data),
          m.batches,
          m.heads,
          m.queries,
          m.keys,
          m.batch_stride,
          m.head_stride,
          m.query_stride,
          visibility_of(of.visible, m.batches)};
}

template <class T>
[[nodiscard]] act::head_tensor<T> tensor_of(const act_tensor& t) noexcept {
  return {static_cast<T*>(t.data), t.batches,     t.heads,       t.tokens, t.channels,
          t.batch_stride,          t.head_stride, t.token_stride};
}

[[nodiscard]] act::attention_options attention_of(const attention_arguments& of) noexcept {
  act::attention_options to;
  to.scale = of.attention.scale;
  to.visible = visibility_of(of.visible, of.q.batches);
  to.soft_cap = of.attention.soft_cap;
  if (of.attention.slopes != nullptr) to.slopes = std::span(of.attention.slopes, of.q.heads);
  if (of.attention.sink_logits != nullptr) to.sink_logits = std::span(of.attention.sink_logits, of.q.heads);
  to.kept_weights = of.attention.kept_weights;
  return to;
}

template <class Number>
[[nodiscard]] std::span<Number> numbers(Number* data, std::size_t count) noexcept {
  return data == nullptr ? std::span<Number>() : std::span(data, count);
}

[[nodiscard]] act::call_context context_of(const call_arguments& call) noexcept {
  const act_context& c = call.context;
  return {.workspace = numbers(static_cast<std::byte*>(c.workspace), c.workspace_bytes),
          .run_on = call.run_on,
          .report = {c.scores, c.sink_counts, c.sink_positions, c.moved_mass},
          .refused = call.refused};
}

// --- calls

act::status calibrate(const map_arguments& of, const call_arguments& call) {
  return with_any_type(
      of.map.type, refuse(call.refused, act::status::unsupported, "type", "isn't an element type act has"),
      [&](auto element) {
        const auto map = map_of<decltype(element)>(of);
        return act::try_calibrate(map, *of.heads, options_of(of.options), context_of(call),
                                  numbers(of.carried_sums, map.batches * map.heads * map.keys));
      });
}

std::size_t calibrate_workspace(const map_arguments& of) {
  return with_any_type(of.map.type, std::size_t{0}, [&](auto element) {
    return act::calibrate_workspace(map_of<decltype(element)>(of), *of.heads, options_of(of.options));
  });
}

/// T: outputs and queries, C: the cache.
template <class T, class C>
act::status attend_as(attention_form form, const attention_arguments& of, act_trackers* trackers,
                      const call_arguments& call) {
  const auto q = tensor_of<const T>(of.q);
  const auto k = tensor_of<const C>(of.k), v = tensor_of<const C>(of.v);
  const auto out = tensor_of<T>(of.out), plain = tensor_of<T>(of.plain);
  const act::attention_options attention = attention_of(of);
  const act::call_context context = context_of(call);
  const std::size_t columns = q.batches * q.heads * k.tokens;
  switch (form) {
    case attention_form::calibrated:
      return act::try_calibrated_attention<T>(q, k, v, out, *of.heads, options_of(of.options), attention,
                                              context, plain, numbers(of.carried_sums, columns));
    case attention_form::corrected: {
      using A = act::accumulator_t<T>;
      const auto log_sum_exp = numbers(static_cast<const A*>(of.log_sum_exp), q.batches * q.heads * q.tokens);
      return act::try_correct_output<T>(out, log_sum_exp, q, k, v, *of.heads, options_of(of.options),
                                        attention, context, numbers(of.scores, columns),
                                        numbers(of.carried_sums, columns));
    }
    case attention_form::decoding: {
      std::span<act::sink_tracker> list;
      if (trackers != nullptr) list = *static_cast<trackers_type*>(trackers->state);
      return act::try_decoding_attention<T>(q, k, v, out, *of.heads, list, attention, context);
    }
  }
  return act::status::unsupported;
}

act::status attend(attention_form form, const attention_arguments& of, act_trackers* trackers,
                   const call_arguments& call) {
  const bool pair = of.q.type == of.out.type && of.k.type == of.v.type &&
                    (of.plain.data == nullptr || of.plain.type == of.out.type);
  const act::status unknown =
      refuse(call.refused, act::status::unsupported, "type",
             "must be one that act has here and the same for all tensors, or float32 over a cache of halves");
  if (!pair) return unknown;
  return with_types(of.out.type, of.k.type, unknown, [&](auto out, auto cache) {
    return attend_as<decltype(out), decltype(cache)>(form, of, trackers, call);
  });
}

std::size_t attend_workspace(attention_form form, const attention_arguments& of, const act::executor& on) {
  return with_types(of.q.type, of.k.type, std::size_t{0}, [&](auto element, auto cached) {
    using T = decltype(element);
    using C = decltype(cached);
    const auto q = tensor_of<const T>(of.q);
    const auto k = tensor_of<const C>(of.k), v = tensor_of<const C>(of.v);
    const auto out = tensor_of<T>(of.out);
    const act::attention_options attention = attention_of(of);
    const act::calibration_options options = options_of(of.options);
    if (form == attention_form::calibrated)
      return act::calibrated_attention_workspace<T>(q, k, v, out, *of.heads, options, attention, on);
    if (form == attention_form::corrected)
      return act::correct_output_workspace<T>(out, q, k, v, *of.heads, options, attention, on);
    return act::decoding_attention_workspace<T>(q, k, v, out, attention, on);
  });
}

// --- trackers

[[nodiscard]] act::sink_tracker& tracker(const act_trackers& of, std::size_t number) noexcept {
  return (*static_cast<trackers_type*>(of.state))[number];
}

/// What the core throws there, as the answer that it is. std::bad_alloc passes through.
template <class Call>
[[nodiscard]] act::status answer_of(act::problem& refused, Call&& call) {
  try {
    call();
  } catch (const act::error& thrown) {
    // Texts that live as long as the library: the trackers' few.
    const bool option = thrown.code() == act::error_code::invalid_option;
    const bool shape = thrown.code() == act::error_code::invalid_shape;
    refused = option  ? act::problem{"options", "are off range, or contradict each other"}
              : shape ? act::problem{"row", "or range doesn't lie within the tracked keys"}
                      : act::problem{"options",
                                     "decoding knows the paper's rule with proportional or renormalised "
                                     "redistribution, and one strength for all heads"};
    return option  ? act::status::invalid_option
           : shape ? act::status::invalid_shape
                   : act::status::unsupported;
  }
  return act::status::ok;
}

act::status trackers_create(const act_options& from, std::size_t count, act_trackers& made,
                            act::problem& refused) {
  const act::calibration_options options = options_of(from);
  if (const act::problem found = options.validate()) {
    refused = found;
    return act::status::invalid_option;
  }
  return answer_of(refused, [&] {
    made.state = std::make_unique<trackers_type>(count, act::sink_tracker(options)).release();
  });
}
void trackers_copy(const act_trackers& from, act_trackers& made) {
  made.state = std::make_unique<trackers_type>(*static_cast<const trackers_type*>(from.state)).release();
}
void trackers_destroy(act_trackers& of) {
  delete static_cast<trackers_type*>(of.state);
}
std::size_t trackers_count(const act_trackers& of) {
  return static_cast<const trackers_type*>(of.state)->size();
}
void trackers_reserve(act_trackers& of, std::size_t keys) {
  for (act::sink_tracker& each : *static_cast<trackers_type*>(of.state))
    each.reserve(keys);
}
act::status trackers_start(act_trackers& of, std::size_t number, const double* sums, std::size_t keys,
                           const act_visibility& visible, std::size_t batches, std::size_t batch,
                           std::size_t queries, act::problem& refused) {
  act::sink_tracker& one = tracker(of, number);
  one.reserve(keys);
  return one.try_start(std::span(sums, keys), visibility_of(visible, batches), batch, queries, &refused);
}
template <class Result, class Use>
[[nodiscard]] Result with_row_type(act_type type, Result otherwise, Use&& use) {
  return type == ACT_FLOAT64 ? use(double()) : with_type(type, otherwise, use);
}
act::status trackers_calibrate_row(act_trackers& of, std::size_t number, act_type type, void* row,
                                   std::size_t keys, std::size_t seen_begin, double* moved_mass,
                                   act::problem& refused) {
  const act::status unknown =
      refuse(nullptr, act::status::unsupported, "type", "isn't an element type act has");
  return with_row_type(type, unknown, [&](auto element) {
    tracker(of, number).reserve(keys);
    return tracker(of, number)
        .try_calibrate_row(std::span(static_cast<decltype(element)*>(row), keys),
                           {std::min(seen_begin, keys), keys}, moved_mass, &refused);
  });
}
act::status trackers_retract(act_trackers& of, std::size_t number, act_type type, const void* row,
                             std::size_t keys, std::size_t seen_begin, act::problem& refused) {
  return with_row_type(type, act::status(act::status::unsupported), [&](auto element) {
    return answer_of(refused, [&] {
      tracker(of, number)
          .retract(std::span(static_cast<const decltype(element)*>(row), keys),
                   {std::min(seen_begin, keys), keys});
    });
  });
}
act::status trackers_evict(act_trackers& of, std::size_t number, std::size_t begin, std::size_t end,
                           act::problem& refused) {
  return answer_of(refused, [&] { tracker(of, number).evict({begin, end}); });
}
std::size_t trackers_keys(const act_trackers& of, std::size_t number) {
  return tracker(of, number).keys();
}
std::size_t trackers_sinks(const act_trackers& of, std::size_t number, std::size_t* positions,
                           std::size_t room) {
  const std::span<const std::size_t> sinks = tracker(of, number).sinks();
  if (positions != nullptr) std::copy_n(sinks.data(), std::min(room, sinks.size()), positions);
  return sinks.size();
}
double trackers_score(const act_trackers& of, std::size_t number, std::size_t slot) {
  const act::sink_tracker& one = tracker(of, number);
  return slot < one.keys() ? one.score(slot) : 0;
}
std::size_t trackers_save(const act_trackers& of, std::size_t number, void* bytes, std::size_t room) {
  const std::vector<std::byte> saved = tracker(of, number).save();
  if (bytes != nullptr && room >= saved.size()) std::memcpy(bytes, saved.data(), saved.size());
  return saved.size();
}
bool trackers_load(act_trackers& of, std::size_t number, const void* bytes, std::size_t count) {
  try {
    tracker(of, number).load(std::span(static_cast<const std::byte*>(bytes), count));
  } catch (const act::error&) {
    return false;
  }
  return true;
}

/// The unit's functions.
[[nodiscard]] constexpr act_c::entry_points entry_points_here(const char* name,
                                                              bool (*runs_here)()) noexcept {
  return {name,
          runs_here,
          [](std::size_t count) { act::set_thread_count(count); },
          calibrate,
          calibrate_workspace,
          attend,
          attend_workspace,
          trackers_create,
          trackers_copy,
          trackers_destroy,
          trackers_count,
          trackers_reserve,
          trackers_start,
          trackers_calibrate_row,
          trackers_retract,
          trackers_evict,
          trackers_keys,
          trackers_sinks,
          trackers_score,
          trackers_save,
          trackers_load};
}

}  // namespace
