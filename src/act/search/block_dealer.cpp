#include <act/search/block_dealer.hpp>
#include <act/search/trial_block.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

block_dealer::block_dealer(std::span<const trial_block> blocks, std::size_t processes)
    : left_(blocks.size()) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i == 0 || blocks[i].chunk.begin != blocks[i - 1].chunk.begin)
      piles_.push_back({.first = i, .end = i, .taken = false});
    piles_.back().end = i + 1;
  }
  at_.assign(processes, piles_.size());
}

std::optional<std::size_t> block_dealer::next(std::size_t process) {
  if (left_ == 0) return std::nullopt;
  std::size_t& at = at_[process];
  bool from_end = false;
  if (at == piles_.size() || piles_[at].size() == 0) {
    at = 0;
    while (at < piles_.size() && piles_[at].taken)
      ++at;
    if (at == piles_.size()) {
      at = 0;
      for (std::size_t i = 1; i < piles_.size(); ++i)
        at = piles_[i].size() > piles_[at].size() ? i : at;
      from_end = true;  // its owner goes on from the front
    }
  }
  pile& mine = piles_[at];
  mine.taken = true;
  --left_;
  return from_end ? --mine.end : mine.first++;
}

std::vector<trial_block> shard_of(std::span<const trial_block> blocks, std::size_t layers, std::size_t number,
                                  std::size_t count) {
  const auto cost = [&](const trial_block& block) {
    const std::size_t above = block.kind == block_kind::plain ? layers : layers - block.layer;
    const std::size_t heads = block.kind == block_kind::plain ? 1 : block.heads.size();
    return static_cast<double>(block.chunk.size() * above * heads);
  };
  double whole = 0;
  for (const trial_block& block : blocks)
    whole += cost(block);
  std::vector<trial_block> mine;
  double before = 0;
  for (const trial_block& block : blocks) {
    // By where its middle lies.
    const double middle = (before + cost(block) / 2) / whole * static_cast<double>(count);
    before += cost(block);
    if (middle >= static_cast<double>(number - 1) && middle < static_cast<double>(number))
      mine.push_back(block);
  }
  return mine;
}

}  // namespace act::search
