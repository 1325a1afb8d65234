// What the forms that begin at queries and keys refuse at their door: one place for what a wrong shape or
// option is, and what its error says. Reads no element.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/map_checks.hpp>
#include <act/detail/overlap.hpp>
#include <act/detail/refusal.hpp>
#include <act/element.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

/// "overlaps NAME: ...", as static text. A literal, which no other unit shares: a constant of a template
/// would be one symbol of the whole process and keep a plug-in from being unloaded.
#define ACT_DETAIL_OVERLAPS(name) \
  "overlaps " name ": results would depend on the order of the work; give it memory of its own"

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

template <class T>
[[nodiscard]] refusal check_tensor(const head_tensor<T>& tensor, std::string_view name) noexcept {
  const strided_memory memory = memory_of(tensor);
  if (tensor.data == nullptr && !memory.empty()) return bad_shape(name, "has no data");
  if (tensor.tokens > 1 && tensor.token_stride < tensor.channels)
    return bad_shape(name, "has a token_stride below its channels");
  if (!memory.empty() && memory.span(3) == std::numeric_limits<std::size_t>::max())
    return bad_shape(name, "exceeds the address space");
  return {};
}

/// What is written may neither overlap itself nor what is read, or written, beside it.
[[nodiscard]] inline refusal check_written(const strided_memory& written, std::string_view name) noexcept {
  if (keeps_rows_apart(written)) return {};
  return bad_shape(name, "has strides that make its rows overlap");
}
[[nodiscard]] inline refusal check_apart(const strided_memory& written, std::string_view name,
                                         const strided_memory& other, std::string_view message) noexcept {
  return may_overlap(written, other) ? bad_shape(name, message) : refusal{};
}

/// Raw column sums that a form is given, [batch, head, keys], or none.
[[nodiscard]] inline refusal check_carried(std::span<const double> sums, std::size_t batches,
                                           std::size_t heads, std::size_t keys) noexcept {
  if (sums.empty() || sums.size() == batches * heads * keys) return {};
  return bad_option("carried_sums", "need batches * heads * keys of them, or none");
}

/// What queries and keys alone can get wrong.
template <class Query, class Cache>
[[nodiscard]] refusal check_queries_and_keys(const head_tensor<const Query>& q,
                                             const head_tensor<const Cache>& k,
                                             const attention_options& options) noexcept {
  if (const refusal found = either(check_tensor(q, "q"), check_tensor(k, "k"))) return found;
  if (k.heads == 0 || q.heads % k.heads != 0)
    return bad_shape("k", "needs a number of heads that divides that of q");
  if (k.batches != q.batches || k.channels != q.channels)
    return bad_shape("k", "needs the batch entries and channels of q");
  if (q.tokens != 0 && k.tokens == 0) return bad_shape("k", "needs a key for each row of q");
  // The rest of the map's shape is checked by the map that never exists.
  const auto map =
      attention_view<Query>::packed(q.data, q.batches, q.heads, q.tokens, k.tokens, options.visible);
  if (const refusal found = bad_shape(map.validate())) return found;
  using computed = std::numeric_limits<accumulator_t<Query>>;  // what these are used in
  if (!(std::abs(options.scale) <= static_cast<double>(computed::max())))
    return bad_option("scale", "must be finite in what the call computes in (0 asks for 1 / sqrt(channels))");
  if (options.soft_cap != 0 && !(options.soft_cap >= static_cast<double>(computed::min()) &&
                                 options.soft_cap <= static_cast<double>(computed::max()))) {
    return bad_option("soft_cap",
                      "must be 0 (none) or more, and normal and finite in what the call computes in");
  }
  if (!options.slopes.empty() && !options.visible.causal())
    return bad_option("slopes", "need causal rows, which know how far a key lies behind them");
  if (!options.slopes.empty() && options.slopes.size() != q.heads)
    return bad_option("slopes", "need one for each head of q, or none");
  if (!options.sink_logits.empty() && options.sink_logits.size() != q.heads)
    return bad_option("sink_logits", "need one for each head of q, or none");
  return {};
}

/// An output tensor of the request: `out`, or `plain` beside it.
template <class Types>
[[nodiscard]] refusal check_output(const attention_request<Types>& request,
                                   const head_tensor<typename Types::output>& out,
                                   std::string_view name) noexcept {
  if (const refusal found = check_tensor(out, name)) return found;
  if (out.batches != request.q.batches || out.heads != request.q.heads || out.tokens != request.q.tokens ||
      out.channels != request.v.channels) {
    return bad_shape(name, "needs the batch entries, heads and tokens of q and the channels of v");
  }
  const strided_memory written = memory_of(out);
  refusal found = check_written(written, name);
  found = either(found, check_apart(written, name, memory_of(request.q), ACT_DETAIL_OVERLAPS("q")));
  found = either(found, check_apart(written, name, memory_of(request.k), ACT_DETAIL_OVERLAPS("k")));
  found = either(found, check_apart(written, name, memory_of(request.v), ACT_DETAIL_OVERLAPS("v")));
  return either(found, check_apart(written, name, memory_of(request.carried.sums),
                                   ACT_DETAIL_OVERLAPS("carried_sums")));
}

template <class Types>
[[nodiscard]] refusal check_attention(const attention_request<Types>& request) noexcept {
  const auto& [q, k, v, out, plain, heads, calibration, options, carried] = request;
  if (const refusal found = either(check_queries_and_keys(q, k, options), check_tensor(v, "v"))) return found;
  if (v.batches != k.batches || v.heads != k.heads || v.tokens != k.tokens)
    return bad_shape("v", "needs the batch entries, heads and tokens of k");
  if (const refusal found = check_carried(carried.sums, q.batches, q.heads, k.tokens)) return found;
  const strided_memory sums = memory_of(carried.sums);
  refusal over = check_apart(sums, "carried_sums", memory_of(q), ACT_DETAIL_OVERLAPS("q"));
  over = either(over, check_apart(sums, "carried_sums", memory_of(k), ACT_DETAIL_OVERLAPS("k")));
  over = either(over, check_apart(sums, "carried_sums", memory_of(v), ACT_DETAIL_OVERLAPS("v")));
  if (over) return over;
  if (const refusal found = check_output(request, out, "out")) return found;
  if (plain.data != nullptr) {
    if (const refusal found = check_output(request, plain, "plain")) return found;
    if (const refusal found =
            check_apart(memory_of(plain), "plain", memory_of(out), ACT_DETAIL_OVERLAPS("out")))
      return found;
  }
  if (const refusal found = bad_option(calibration.validate())) return found;
  return either(check_heads(*heads, q.heads),
                either(check_columns(calibration, k.tokens), check_strengths(calibration, q.heads)));
}

/// Only proportional redistribution and renormalisation can be written as a correction of outputs.
[[nodiscard]] inline bool needs_map(const calibration_options& options) noexcept {
  return (options.redistribute != redistribution::proportional &&
          options.redistribute != redistribution::renormalised) ||
         options.behave_as != compatibility::none;
}

/// All of it, for calibrated_attention: beside the above, what calibrating a head by its map can't do.
template <class Types>
[[nodiscard]] refusal check_calibrated_attention(const attention_request<Types>& request) noexcept {
  if (const refusal found = check_attention(request)) return found;
  if (request.heads->empty() || !needs_map(request.calibration)) return {};
  if (!request.carried.empty()) {
    return not_done("carried_sums",
                    "need proportional or renormalised redistribution: other rows than this chunk's would "
                    "decide about it");
  }
  if (request.calibration.behave_as == compatibility::authors && request.q.tokens != 0) {
    return check_authors_shape(attention_view<typename Types::query>::packed(
        request.q.data, request.q.batches, request.q.heads, request.q.tokens, request.k.tokens,
        request.options.visible));
  }
  return {};
}

/// For correct_output: beside the above, what its kernel brings.
template <class Types>
[[nodiscard]] refusal check_correction(const attention_request<Types>& request,
                                       std::span<const typename Types::accumulator> log_sum_exp,
                                       std::span<const double> scores) noexcept {
  const auto& [q, k, v, out, plain, heads, calibration, options, carried] = request;
  if (const refusal found = check_attention(request)) return found;
  if (needs_map(calibration)) {
    return not_done("redistribute",
                    "outputs can be corrected for proportional and renormalised redistribution only");
  }
  if (log_sum_exp.size() != q.batches * q.heads * q.tokens)
    return bad_shape("log_sum_exp", "needs batches * heads * queries numbers");
  if (!scores.empty() && (scores.size() != q.batches * q.heads * k.tokens || !carried.empty()))
    return bad_shape("scores", "need batches * heads * keys numbers, and no carried_sums");
  const strided_memory to = memory_of(out), sums = memory_of(carried.sums), of_rows = memory_of(log_sum_exp);
  refusal found = check_apart(to, "out", of_rows, ACT_DETAIL_OVERLAPS("log_sum_exp"));
  found = either(found, check_apart(to, "out", memory_of(scores), ACT_DETAIL_OVERLAPS("scores")));
  return either(found, check_apart(sums, "carried_sums", of_rows, ACT_DETAIL_OVERLAPS("log_sum_exp")));
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
