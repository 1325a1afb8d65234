#include <act/runtime/layers/attention.hpp>
#include <act/search/shared_trials.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

void share_rows(std::span<trial_part> parts,
                const std::function<std::size_t(const trial_part& a, const trial_part& b)>& alike) {
  for (std::size_t b = 0; b < parts.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      const std::size_t rows = alike(parts[a], parts[b]);
      if (rows <= parts[b].shared) continue;
      parts[b].shared = rows;
      parts[b].shared_with = a;
    }
  }
}

stacked_trials::stacked_trials(std::span<const trial_part> parts) {
  std::size_t rows = 0;
  for (const trial_part& each : parts) {
    runtime::attention_sequence sequence{.first_query = rows,
                                         .queries = each.rows(),
                                         .first_key = rows,
                                         .keys = each.end - each.first_row,
                                         .past = {}};
    std::vector<std::uint32_t> keys;
    if (each.shared > 0) {
      // What is shared may itself be shared: all rows of the other part are known by now.
      const runtime::attention_sequence& other = sequences_[each.shared_with];
      for (std::size_t at = 0; at < each.shared; ++at) {
        keys.push_back(other.key_rows.empty() ? static_cast<std::uint32_t>(other.first_key + at)
                                              : other.key_rows[at]);
      }
      keys.resize(sequence.keys);
      std::iota(keys.begin() + static_cast<std::ptrdiff_t>(each.shared), keys.end(),
                static_cast<std::uint32_t>(rows));
    }
    key_rows_.push_back(std::move(keys));
    sequence.key_rows = key_rows_.back();
    sequences_.push_back(sequence);
    for (std::size_t row = each.own_row(); row < each.end; ++row)
      positions_.push_back(static_cast<std::uint32_t>(row));
    rows += each.rows();
  }
}

}  // namespace act::search
