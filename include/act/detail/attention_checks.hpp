// What the forms that begin at queries and keys refuse at their door: one place for what a wrong shape or
// option is, and what its error says. Reads no element.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/map_checks.hpp>
#include <act/detail/overlap.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

inline void demand_shape(bool met, std::string_view where, std::string_view message) {
  if (!met) raise(error_code::invalid_shape, where, message);
}

inline void demand_option(bool met, std::string_view where, std::string_view message) {
  if (!met) raise(error_code::invalid_option, where, message);
}

template <class T>
void check_tensor(const head_tensor<T>& tensor, std::string_view name) {
  const strided_memory memory = memory_of(tensor);
  demand_shape(tensor.data != nullptr || memory.empty(), name, "has no data");
  demand_shape(tensor.tokens <= 1 || tensor.token_stride >= tensor.channels, name,
               "has a token_stride below its channels");
  demand_shape(memory.empty() || memory.span(3) < std::numeric_limits<std::size_t>::max(), name,
               "exceeds the address space");
}

/// What is written may neither overlap itself nor what is read, or written, beside it.
inline void check_written(const strided_memory& written, std::string_view name) {
  demand_shape(keeps_rows_apart(written), name, "has strides that make its rows overlap");
}
inline void check_apart(const strided_memory& written, std::string_view name, const strided_memory& other,
                        std::string_view other_name) {
  if (!may_overlap(written, other)) return;
  raise(error_code::invalid_shape, name,
        "overlaps " + std::string(other_name) +
            ": results would depend on the order of the work; "
            "give it memory of its own");
}

/// What queries and keys alone can get wrong.
template <class T>
void check_queries_and_keys(const head_tensor<const T>& q, const head_tensor<const T>& k,
                            const attention_options& options) {
  check_tensor(q, "q");
  check_tensor(k, "k");
  demand_shape(k.heads > 0 && q.heads % k.heads == 0, "k", "needs a number of heads that divides that of q");
  demand_shape(k.batches == q.batches && k.channels == q.channels, "k",
               "needs the batch entries and channels of q");
  demand_shape(q.tokens == 0 || k.tokens > 0, "k", "needs a key for each row of q");
  // The rest of the map's shape is checked by the map that never exists.
  const auto map = attention_view<T>::packed(q.data, q.batches, q.heads, q.tokens, k.tokens, options.visible);
  throw_if(map.validate(), error_code::invalid_shape);
  demand_option(std::isfinite(options.scale), "scale", "must be finite (0 asks for 1 / sqrt(channels))");
  demand_option(options.soft_cap >= 0 && std::isfinite(options.soft_cap), "soft_cap",
                "must be 0 (none) or more");
  demand_option(options.slopes.empty() || options.slopes.size() == q.heads, "slopes",
                "need one for each head of q, or none");
  demand_option(options.sink_logits.empty() || options.sink_logits.size() == q.heads, "sink_logits",
                "need one for each head of q, or none");
}

/// An output tensor of the request: `out`, or `plain` beside it.
template <class T>
void check_output(const attention_request<T>& request, const head_tensor<T>& out, std::string_view name) {
  check_tensor(out, name);
  demand_shape(out.batches == request.q.batches && out.heads == request.q.heads &&
                   out.tokens == request.q.tokens && out.channels == request.v.channels,
               name, "needs the batch entries, heads and tokens of q and the channels of v");
  const strided_memory written = memory_of(out);
  check_written(written, name);
  check_apart(written, name, memory_of(request.q), "q");
  check_apart(written, name, memory_of(request.k), "k");
  check_apart(written, name, memory_of(request.v), "v");
  check_apart(written, name, memory_of(request.carried.sums), "carried_sums");
}

template <class T>
void check_attention(const attention_request<T>& request) {
  const auto& [q, k, v, out, plain, heads, calibration, options, carried] = request;
  check_queries_and_keys<T>(q, k, options);
  check_tensor(v, "v");
  demand_shape(v.batches == k.batches && v.heads == k.heads && v.tokens == k.tokens, "v",
               "needs the batch entries, heads and tokens of k");
  demand_option(carried.empty() || carried.sums.size() == q.batches * q.heads * k.tokens, "carried_sums",
                "need batches * heads * keys of them, or none");
  check_output(request, out, "out");
  if (plain.data != nullptr) {
    check_output(request, plain, "plain");
    check_apart(memory_of(plain), "plain", memory_of(out), "out");
  }
  throw_if(calibration.validate(), error_code::invalid_option);
  check_heads(*heads, q.heads);
  check_columns(calibration, k.tokens);
  check_strengths(calibration, q.heads);
}

/// Only proportional redistribution and renormalisation can be written as a correction of outputs.
[[nodiscard]] inline bool needs_map(const calibration_options& options) noexcept {
  return (options.redistribute != redistribution::proportional &&
          options.redistribute != redistribution::renormalised) ||
         options.behave_as != compatibility::none;
}

/// All of it, for calibrated_attention: beside the above, what calibrating a head by its map can't do.
template <class T>
void check_calibrated_attention(const attention_request<T>& request) {
  check_attention(request);
  if (request.heads->empty() || !needs_map(request.calibration)) return;
  if (!request.carried.empty()) {
    raise(error_code::unsupported, "carried_sums",
          "need proportional or renormalised redistribution: other rows than this chunk's would decide about "
          "it");
  }
  if (request.calibration.behave_as == compatibility::authors && request.q.tokens != 0) {
    check_authors_shape(attention_view<T>::packed(request.q.data, request.q.batches, request.q.heads,
                                                  request.q.tokens, request.k.tokens,
                                                  request.options.visible));
  }
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
