// Which block a process gets next: one of the chunk that it has the plain pass of, as long as there are any.
#pragma once

#include <act/search/trial_block.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::search {

/// Deals the blocks of one list, each once.
class block_dealer {
 public:
  /// The blocks must outlive it.
  block_dealer(std::span<const trial_block> blocks, std::size_t processes);

  /// Number of the block for a process: the next of the chunk that it is at; else of the first chunk that
  /// nobody is at; else the last of the chunk with the most blocks left, for which it needs a plain pass of
  /// its own. None when all are dealt.
  [[nodiscard]] std::optional<std::size_t> next(std::size_t process);

  [[nodiscard]] std::size_t left() const noexcept { return left_; }

 private:
  struct pile {
    std::size_t first = 0, end = 0;  // of the list: blocks of one chunk that haven't been dealt
    bool taken = false;
    [[nodiscard]] std::size_t size() const noexcept { return end - first; }
  };
  std::vector<pile> piles_;
  std::vector<std::size_t> at_;  // of each process, its pile; piles_.size(): none
  std::size_t left_;
};

/// The part of an exact search's blocks that shard `number` (from 1) of `count` runs: consecutive blocks, so
/// that few chunks' plain passes are run twice, of about the same cost by tokens times layers. Every block is
/// in one shard.
[[nodiscard]] std::vector<trial_block> shard_of(std::span<const trial_block> blocks, std::size_t layers,
                                                std::size_t number, std::size_t count);

}  // namespace act::search
