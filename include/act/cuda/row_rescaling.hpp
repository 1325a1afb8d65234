// One row once its sinks are known: the rule of detail/rules/row_rule.hpp for a team of threads. The row is
// read once and written once where the team's registers hold it.
//
// Mass on sinks and elsewhere are summed apart, never taken as a difference, so a row with nearly everything
// on sinks needs no second way.
#pragma once

#include <act/cuda/element.hpp>
#include <act/cuda/reduction.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/version.hpp>

#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

using act::detail::change_of_row, act::detail::row_change;

/// The paper's beta, and what kernels multiply sinks by: beta, rounded by the host. Rounded on the device,
/// some compilers do so for each element.
struct sink_share {
  double beta;
  float rounded;
};
[[nodiscard]] inline sink_share share_of(double beta) noexcept {
  return {beta, static_cast<float>(beta)};
}

/// Bits first .. first + 31 or fewer of a bitmap; `first` is a multiple of the piece's width, which
/// divides 32.
ACT_HOST_DEVICE inline std::uint32_t bits_from(const std::uint32_t* bits, int first) noexcept {
  return bits[first / 32] >> first % 32;
}

template <class T, int Width>
ACT_DEVICE inline pair weigh(const piece<T, Width>& of, std::uint32_t sinks) noexcept {
  float on_sinks = 0, elsewhere = 0;  // of at most eight elements
  ACT_UNROLL
  for (int e = 0; e < Width; ++e) {
    const float weight = of.at(e);
    const bool is_sink = (sinks >> e & 1U) != 0;
    on_sinks += is_sink ? weight : 0.0F;
    elsewhere += is_sink ? 0.0F : weight;
  }
  return {static_cast<double>(on_sinks), static_cast<double>(elsewhere)};
}

template <class T, int Width>
ACT_DEVICE inline void scale(piece<T, Width>& of, std::uint32_t sinks, float at_sinks,
                             float elsewhere) noexcept {
  const piece<T, Width> before = of;
  of.fill([&](int e) {
    const bool is_sink = (sinks >> e & 1U) != 0;
    return before.at(e) * (is_sink ? at_sinks : elsewhere);
  });
}

/// Pieces that a thread keeps in registers: 128 bytes of them.
inline constexpr int kept_pieces = 8;

/// Calibrates one row of a map, of `keys` elements, in place; `sinks` is a bitmap of the keys. Returns the
/// mass moved, to every thread of the team.
template <class T, int Width, class Team>
ACT_DEVICE inline double rescale_row(Team& team, T* row, int keys, range seen, const std::uint32_t* sinks,
                                     const sink_share& kept_by_sinks) noexcept {
  const int first = (seen.begin / Width + team.rank()) * Width;
  const int step = team.size() * Width;
  // Whether every piece that is seen in part may be read whole.
  const bool whole = (seen.end + Width - 1) / Width * Width <= keys;
  if (ceil_div(seen.end - seen.begin / Width * Width, step) <= kept_pieces) {
    piece<T, Width> kept[kept_pieces];
    if (whole) {
      ACT_UNROLL
      for (int k = 0; k < kept_pieces; ++k)
        kept[k] = load_piece<T, Width>(row, first + k * step, seen);
    } else {
      ACT_UNROLL
      for (int k = 0; k < kept_pieces; ++k)
        kept[k] = load_elements<T, Width>(row, first + k * step, seen);
    }
    pair mass;
    ACT_UNROLL
    for (int k = 0; k < kept_pieces; ++k) {
      if (first + k * step >= seen.end) continue;
      kept[k].keep(first + k * step, seen);
      mass = mass + weigh(kept[k], bits_from(sinks, first + k * step));
    }
    mass = team.sum(mass);
    const row_change change = change_of_row(mass.first, mass.second, kept_by_sinks.beta);
    if (!change.changes) return 0;
    const float elsewhere = static_cast<float>(change.elsewhere);
    ACT_UNROLL
    for (int k = 0; k < kept_pieces; ++k) {
      if (first + k * step >= seen.end) continue;
      scale(kept[k], bits_from(sinks, first + k * step), kept_by_sinks.rounded, elsewhere);
      store_piece(row, first + k * step, seen, kept[k]);
    }
    return change.freed;
  }
  const auto load = [&](int j) {
    piece<T, Width> loaded =
        whole ? load_piece<T, Width>(row, j, seen) : load_elements<T, Width>(row, j, seen);
    loaded.keep(j, seen);
    return loaded;
  };
  pair mass;
  for (int j = first; j < seen.end; j += step)
    mass = mass + weigh(load(j), bits_from(sinks, j));
  mass = team.sum(mass);
  const row_change change = change_of_row(mass.first, mass.second, kept_by_sinks.beta);
  if (!change.changes) return 0;
  const float elsewhere = static_cast<float>(change.elsewhere);
  for (int j = first; j < seen.end; j += step) {
    piece<T, Width> again = load(j);
    scale(again, bits_from(sinks, j), kept_by_sinks.rounded, elsewhere);
    store_piece(row, j, seen, again);
  }
  return change.freed;
}

}  // namespace act::inline ACT_ABI::cuda::detail
