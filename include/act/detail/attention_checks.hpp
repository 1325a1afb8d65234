// What the forms that begin at queries and keys refuse at their door: one place for what a wrong shape or
// option is, and what its error says. Reads no element.
#pragma once

#include <act/attention_view.hpp>
#include <act/calibrate.hpp>
#include <act/detail/authors_row.hpp>
#include <act/detail/build.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>

#include <cmath>
#include <cstddef>
#include <string_view>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

inline void demand_shape(bool met, std::string_view where, std::string_view message) {
  if (!met) detail::raise(error_code::invalid_shape, where, message);
}

template <class T>
void check_tensor(const head_tensor<T>& tensor, std::string_view name) {
  if (tensor.data == nullptr && tensor.batches * tensor.heads * tensor.tokens * tensor.channels != 0) {
    detail::raise(error_code::invalid_shape, name, "has no data");
  }
  if (tensor.tokens > 1 && tensor.token_stride < tensor.channels) {
    detail::raise(error_code::invalid_shape, name, "has a token_stride below its channels");
  }
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
  const auto option = [](bool met, std::string_view where, std::string_view message) {
    if (!met) detail::raise(error_code::invalid_option, where, message);
  };
  option(std::isfinite(options.scale), "scale", "must be finite (0 asks for 1 / sqrt(channels))");
  option(options.soft_cap >= 0 && std::isfinite(options.soft_cap), "soft_cap", "must be 0 (none) or more");
  option(options.slopes.empty() || options.slopes.size() == q.heads, "slopes",
         "need one for each head of q, or none");
  option(options.sink_logits.empty() || options.sink_logits.size() == q.heads, "sink_logits",
         "need one for each head of q, or none");
  option(options.carried_sums.empty() || options.carried_sums.size() == q.batches * q.heads * k.tokens,
         "carried_sums", "need batches * heads * keys of them, or none");
}

template <class T>
void check_attention(const head_tensor<const T>& q, const head_tensor<const T>& k,
                     const head_tensor<const T>& v, const head_tensor<T>& out, const layer_heads& heads,
                     const calibration_options& calibration, const attention_options& options) {
  check_queries_and_keys(q, k, options);
  check_tensor(v, "v");
  check_tensor(out, "out");
  demand_shape(v.batches == k.batches && v.heads == k.heads && v.tokens == k.tokens, "v",
               "needs the batch entries, heads and tokens of k");
  demand_shape(out.batches == q.batches && out.heads == q.heads && out.tokens == q.tokens &&
                   out.channels == v.channels,
               "out", "needs the batch entries, heads and tokens of q and the channels of v");
  throw_if(calibration.validate(), error_code::invalid_option);
  check_heads(heads, q.heads);
}

/// Only proportional redistribution can be written as a correction of outputs.
[[nodiscard]] inline bool needs_map(const calibration_options& options) noexcept {
  return options.redistribute != redistribution::proportional || options.behave_as != compatibility::none;
}

/// What calibrating a head by its map can't do.
template <class T>
void check_map_request(const head_tensor<const T>& q, const head_tensor<const T>& k,
                       const calibration_options& calibration, const attention_options& options) {
  check_subset(calibration, k.tokens);
  if (!options.carried_sums.empty()) {
    detail::raise(error_code::unsupported, "carried_sums",
                  "need proportional redistribution: other rows than this chunk's would decide about it");
  }
  if (calibration.behave_as == compatibility::authors && q.tokens != 0) {
    check_authors_shape(
        attention_view<T>::packed(q.data, q.batches, q.heads, q.tokens, k.tokens, options.visible));
  }
}

/// All of it, for calibrated_attention.
template <class T>
void check_calibrated_attention(const head_tensor<const T>& q, const head_tensor<const T>& k,
                                const head_tensor<const T>& v, const head_tensor<T>& out,
                                const layer_heads& heads, const calibration_options& calibration,
                                const attention_options& options) {
  check_attention<T>(q, k, v, out, heads, calibration, options);
  if (!heads.empty() && needs_map(calibration)) check_map_request<T>(q, k, calibration, options);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
