// Blocks are dealt each once, to processes that have the plain pass they need, and shards are parts.
#include <doctest/doctest.h>
#include <act/search/block_dealer.hpp>
#include <act/search/trial_block.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <vector>

namespace {

using act::search::block_kind;
using act::search::trial_block;

// A plain pass and `layers` layers of trials of each of the chunks.
std::vector<trial_block> blocks(std::size_t chunks, std::size_t layers) {
  std::vector<trial_block> all;
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    all.push_back({.kind = block_kind::plain, .chunk = {10 * chunk, 10 * chunk + 10}});
    for (std::size_t layer = 0; layer < layers; ++layer) {
      all.push_back({.kind = block_kind::trials,
                     .chunk = {10 * chunk, 10 * chunk + 10},
                     .layer = layer,
                     .heads = {0, 1, 2}});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("one process gets the blocks in their order") {
  const std::vector<trial_block> all = blocks(3, 4);
  act::search::block_dealer dealer(all, 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(dealer.left() == all.size() - i);
    CHECK(dealer.next(0) == i);
  }
  CHECK(!dealer.next(0));
}

TEST_CASE("processes stay at their chunks, and help with the longest at the end") {
  const std::vector<trial_block> all = blocks(2, 4);
  act::search::block_dealer dealer(all, 3);
  CHECK(dealer.next(0) == 0U);
  CHECK(dealer.next(1) == 5U);
  CHECK(dealer.next(0) == 1U);
  CHECK(dealer.next(1) == 6U);
  CHECK(dealer.next(0) == 2U);
  CHECK(dealer.next(2) == 9U);  // all chunks are taken: the longest one's last
  CHECK(dealer.next(0) == 3U);
  CHECK(dealer.next(0) == 4U);
  std::set<std::size_t> rest;
  while (const std::optional<std::size_t> next = dealer.next(0))
    rest.insert(*next);
  CHECK(rest == std::set<std::size_t>{7, 8});
  CHECK(dealer.left() == 0);
}

TEST_CASE("every block is in one shard, and shards cost about the same") {
  for (const std::size_t chunks : {1U, 7U}) {
    const std::vector<trial_block> all = blocks(chunks, 12);
    for (const std::size_t count : {1U, 2U, 5U, 13U, 200U}) {
      CAPTURE(count);
      std::vector<trial_block> joined;
      double most = 0, sum = 0;
      for (std::size_t number = 1; number <= count; ++number) {
        const std::vector<trial_block> mine = act::search::shard_of(all, 12, number, count);
        joined.insert(joined.end(), mine.begin(), mine.end());
        double cost = 0;
        for (const trial_block& block : mine)
          cost += static_cast<double>(block.kind == block_kind::plain ? 120
                                                                      : block.trials() * (12 - block.layer));
        most = std::max(most, cost);
        sum += cost;
      }
      CHECK(joined == all);
      CHECK(most <= sum / static_cast<double>(count) + 360);  // a block more than its part
    }
  }
}
