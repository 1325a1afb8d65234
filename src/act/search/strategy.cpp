#include <act/head_set.hpp>
#include <act/search/search_run.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

trial_table part_of(const trial_table& table, std::span<const std::size_t> heads, std::size_t samples) {
  std::vector<layer_head> of;
  std::vector<double> strengths;
  for (const std::size_t head : heads) {
    of.push_back(table.heads()[head]);
    if (const std::optional<double> strength = table.strength(head)) strengths.push_back(*strength);
  }
  trial_table part(std::move(of),
                   {table.samples().begin(), table.samples().begin() + static_cast<std::ptrdiff_t>(samples)},
                   std::move(strengths));
  for (std::size_t sample = 0; sample < samples; ++sample) {
    part.set_plain(sample, table.plain(sample));
    for (std::size_t i = 0; i < heads.size(); ++i) {
      if (table.known(heads[i], sample))
        part.set_trial(i, sample, table.calibrated(heads[i], sample), table.has_sinks(heads[i], sample),
                       table.initial_mass(heads[i], sample));
    }
  }
  return part;
}

std::vector<trial_block> blocks_of(const search_run& run, const sample_chunk& chunk,
                                   std::span<const std::size_t> heads) {
  const std::size_t strengths = run.plan().strength_count();
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> heads_in;  // of layer and strength
  for (const std::size_t place : heads) {
    const layer_head& each = run.trials().heads()[place];
    heads_in[{each.layer, place % strengths}].push_back(each.head);
  }
  std::vector<trial_block> blocks;
  for (auto& [of, in_block] : heads_in) {
    blocks.push_back({.kind = block_kind::trials,
                      .chunk = chunk,
                      .layer = of.first,
                      .heads = std::move(in_block),
                      .strength = of.second});
  }
  return blocks;
}

double cost_of(const search_run& run, const trial_table& table, std::size_t head) {
  double tokens = 0;
  for (std::size_t sample = 0; sample < table.samples().size(); ++sample) {
    if (table.has_sinks(head, sample)) tokens += static_cast<double>(run.plan().samples[sample].tokens());
  }
  return tokens * static_cast<double>(run.layers() - table.heads()[head].layer);
}

}  // namespace act::search
