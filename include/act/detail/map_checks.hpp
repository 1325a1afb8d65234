// What the forms that change rows of a map refuse at their door, beside what views and options say of
// themselves. Reads no element.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

inline void check_heads(const layer_heads& heads, std::size_t available) {
  if (heads.is_all() || heads.empty()) return;
  if (heads.at(heads.count(available) - 1) >= available) {
    detail::raise(error_code::invalid_option, "heads", "name a head that the map doesn't have");
  }
}

/// The options' positions and strengths, against the map's keys and heads.
inline void check_columns(const calibration_options& options, std::size_t keys) {
  if (!options.subset.empty() && options.subset.back() >= keys) {
    detail::raise(error_code::invalid_option, "subset", "holds a position past the map's keys");
  }
  if (!options.span.empty() && options.span.back() >= keys) {
    detail::raise(error_code::invalid_option, "span", "holds a position past the map's keys");
  }
}
inline void check_strengths(const calibration_options& options, std::size_t heads) {
  if (!options.strengths.empty() && options.strengths.size() != heads) {
    detail::raise(error_code::invalid_option, "strengths", "need one for each head of the map, or none");
  }
}

/// Where the caller gives the columns of a row, or a head, himself.
inline void check_given_columns(const calibration_options& options) {
  if (options.columns != column_choice::sinks) {
    detail::raise(error_code::invalid_option, "columns",
                  "are given here in the sinks' place: leave column_choice::sinks");
  }
}
inline void check_one_strength(const calibration_options& options) {
  if (!options.strengths.empty()) {
    detail::raise(error_code::invalid_option, "strengths",
                  "belong to the heads of a map: use calibration_options::of_head here");
  }
}

inline void check_sinks(std::span<const std::size_t> sinks, std::size_t keys) {
  for (std::size_t k = 0; k < sinks.size(); ++k) {
    if (sinks[k] >= keys)
      detail::raise(error_code::invalid_shape, "sinks", "hold a position past the row's keys");
    if (k > 0 && sinks[k] <= sinks[k - 1])
      detail::raise(error_code::invalid_shape, "sinks", "must ascend strictly");
  }
}

/// The authors' code knows one prompt at a time: all of it, or one row of decoding.
template <class T>
void check_authors_shape(const attention_span<T>& map) {
  const bool whole = map.queries == map.keys && map.visible.query_offset == 0;
  const bool decoding = map.queries == 1 && map.visible.query_offset + 1 == map.keys;
  bool padded = false;
  for (const std::size_t key : map.visible.first_key)
    padded = padded || key != 0;
  if ((!whole && !decoding) || padded || map.visible.window != 0) {
    detail::raise(error_code::unsupported, "behave_as",
                  "compatibility::authors knows whole prompts and single decoding rows only: no chunks, "
                  "padding, window");
  }
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
