// What a call that begins at queries and keys was given, in one piece: for its checks (attention_checks.hpp)
// and its work. Views only.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Raw column sums that go with a prompt from chunk to chunk, [batch, head, keys]; or none.
struct carried_columns {
  std::span<double> sums = {};
  std::size_t keys = 0;  ///< from head to head

  [[nodiscard]] bool empty() const noexcept { return sums.empty(); }
  [[nodiscard]] double* of_head(std::size_t number) const noexcept { return sums.data() + number * keys; }
};

template <class T>
struct attention_request {
  head_tensor<const T> q, k, v;
  head_tensor<T> out, plain;  ///< `plain` may have no data: nobody wants it
  const layer_heads* heads;
  calibration_options calibration;
  attention_options options;
  carried_columns carried;

  /// Without keys behind the last row's own, which no row sees: they cost nothing. `carried` keeps its shape.
  [[nodiscard]] attention_request seen_keys() const noexcept {
    attention_request seen = *this;
    seen.k.tokens = std::min(k.tokens, options.visible.query_offset + q.tokens);
    seen.v.tokens = std::min(v.tokens, seen.k.tokens);
    return seen;
  }
  [[nodiscard]] std::size_t chosen() const noexcept { return heads->count(q.heads); }
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
