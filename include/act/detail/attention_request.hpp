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

template <class Types>
struct attention_request {
  head_tensor<const typename Types::query> q;
  head_tensor<const typename Types::cache> k, v;
  head_tensor<typename Types::output> out, plain;  ///< `plain` may have no data: nobody wants it
  const layer_heads* heads;
  calibration_options calibration;
  attention_options options;
  carried_columns carried;

  /// One batch entry: its real rows, and no keys behind those that a row sees: they cost nothing. `carried`
  /// keeps its shape.
  [[nodiscard]] attention_request entry(std::size_t batch) const noexcept {
    const std::size_t rows = options.visible.rows(batch, q.tokens);
    const std::size_t keys =
        std::min(k.tokens, options.visible.keys_seen(batch, options.visible.offset(batch) + rows));
    attention_request one = *this;
    one.q = q.entry(batch, rows);
    one.k = k.entry(batch, keys);
    one.v = v.entry(batch, std::min(v.tokens, keys));
    one.out = out.entry(batch, rows);
    if (plain.data != nullptr) one.plain = plain.entry(batch, rows);
    one.options.visible = options.visible.entry(batch);
    return one;
  }
  [[nodiscard]] std::size_t chosen() const noexcept { return heads->count(q.heads); }
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
