// What the forms that change rows of a map refuse at their door, beside what views and options say of
// themselves. Reads no element.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/refusal.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

[[nodiscard]] inline refusal check_heads(const layer_heads& heads, std::size_t available) noexcept {
  if (heads.is_all() || heads.empty()) return {};
  if (heads.at(heads.count(available) - 1) < available) return {};
  return bad_option("heads", "name a head that the map doesn't have");
}

/// The options' positions and strengths, against the map's keys and heads.
[[nodiscard]] inline refusal check_columns(const calibration_options& options, std::size_t keys) noexcept {
  if (!options.subset.empty() && options.subset.back() >= keys)
    return bad_option("subset", "holds a position past the map's keys");
  if (!options.span.empty() && options.span.back() >= keys)
    return bad_option("span", "holds a position past the map's keys");
  return {};
}
[[nodiscard]] inline refusal check_strengths(const calibration_options& options, std::size_t heads) noexcept {
  if (options.strengths.empty() || options.strengths.size() == heads) return {};
  return bad_option("strengths", "need one for each head of the map, or none");
}

/// Where the caller gives the columns of a row, or a head, himself.
[[nodiscard]] inline refusal check_given_columns(const calibration_options& options) noexcept {
  if (options.columns == column_choice::sinks) return {};
  return bad_option("columns", "are given here in the sinks' place: leave column_choice::sinks");
}
[[nodiscard]] inline refusal check_one_strength(const calibration_options& options) noexcept {
  if (options.strengths.empty()) return {};
  return bad_option("strengths", "belong to the heads of a map: use calibration_options::of_head here");
}

[[nodiscard]] inline refusal check_sinks(std::span<const std::size_t> sinks, std::size_t keys) noexcept {
  for (std::size_t k = 0; k < sinks.size(); ++k) {
    if (sinks[k] >= keys) return bad_shape("sinks", "hold a position past the row's keys");
    if (k > 0 && sinks[k] <= sinks[k - 1]) return bad_shape("sinks", "must ascend strictly");
  }
  return {};
}

/// The authors' code knows one prompt at a time: all of it, or one row of decoding.
template <class T>
[[nodiscard]] refusal check_authors_shape(const attention_span<T>& map) noexcept {
  const bool whole = map.queries == map.keys && map.visible.query_offset == 0;
  const bool decoding = map.queries == 1 && map.visible.query_offset + 1 == map.keys;
  bool padded = map.visible.ragged() || !map.visible.causal();
  for (const std::size_t key : map.visible.first_key)
    padded = padded || key != 0;
  if ((whole || decoding) && !padded && map.visible.window == 0) return {};
  return not_done("behave_as",
                  "compatibility::authors knows whole prompts and single decoding rows only: no chunks, "
                  "padding, window");
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
