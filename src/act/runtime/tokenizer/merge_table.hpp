// The merges of a BPE vocabulary and their application to one piece of text. For byte_level_bpe.hpp; it knows
// ids only, neither text nor bytes.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

namespace act::runtime {

/// Which two neighbours become which token, and in what order of preference.
class merge_table {
 public:
  void reserve(std::size_t merges) { merges_.reserve(merges); }

  /// Adds the next merge, of lower preference than all before. A pair that was there takes its new place.
  void add(token_id left, token_id right, token_id merged) {
    merges_[key(left, right)] = {next_rank_++, merged};
  }

  /// Scratch memory of one thread, reused from piece to piece.
  struct workspace {
    struct symbol {
      token_id id;
      std::uint32_t previous, next;  // neighbours' indices; `end` beyond either edge
      bool alive;
    };
    struct candidate {
      std::uint32_t rank, at;  // at: index of the left symbol; equal ranks go from left to right
      token_id merged;
      friend bool operator>(const candidate& a, const candidate& b) noexcept {
        return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
      }
    };
    std::vector<symbol> symbols;
    std::vector<candidate> queue;
  };

  /// Merges `ids`, the tokens of one piece's bytes, in place until no pair is left that can be. Always the
  /// most preferred pair first, the leftmost among equals: the result is that of `tokenizers`. Fewer than
  /// 2^32 ids. Cost: O(n log n): a linked list of symbols and a heap of pairs, entries of which go stale when
  /// a neighbour merges.
  void apply(std::vector<token_id>& ids, workspace& scratch) const {
    if (ids.size() < 2) return;
    auto& symbols = scratch.symbols;
    auto& queue = scratch.queue;
    const auto count = static_cast<std::uint32_t>(ids.size());
    symbols.clear();
    queue.clear();
    for (std::uint32_t i = 0; i < count; ++i)
      symbols.push_back({ids[i], i == 0 ? end : i - 1, i + 1 == count ? end : i + 1, true});
    const auto offer = [&](std::uint32_t left) {
      const std::uint32_t right = symbols[left].next;
      if (right == end) return;
      const auto found = merges_.find(key(symbols[left].id, symbols[right].id));
      if (found != merges_.end()) queue.push_back({found->second.rank, left, found->second.merged});
    };
    for (std::uint32_t i = 0; i < count; ++i)
      offer(i);
    std::make_heap(queue.begin(), queue.end(), std::greater<>{});
    while (!queue.empty()) {
      std::pop_heap(queue.begin(), queue.end(), std::greater<>{});
      const workspace::candidate best = queue.back();
      queue.pop_back();
      workspace::symbol& left = symbols[best.at];
      if (!left.alive || left.next == end) continue;
      workspace::symbol& right = symbols[left.next];
      const auto now = merges_.find(key(left.id, right.id));
      if (now == merges_.end() || now->second.merged != best.merged) continue;  // stale
      left.id = best.merged;
      right.alive = false;
      left.next = right.next;
      if (right.next != end) symbols[right.next].previous = best.at;
      const std::size_t before = queue.size();
      if (left.previous != end) offer(left.previous);
      if (queue.size() > before) std::push_heap(queue.begin(), queue.end(), std::greater<>{});
      const std::size_t after = queue.size();
      offer(best.at);
      if (queue.size() > after) std::push_heap(queue.begin(), queue.end(), std::greater<>{});
    }
    ids.clear();
    for (std::uint32_t i = 0; i != end; i = symbols[i].next)
      ids.push_back(symbols[i].id);
  }

 private:
  static constexpr std::uint32_t end = 0xffffffffu;
  struct merge {
    std::uint32_t rank = 0;
    token_id merged = 0;
  };

  static std::uint64_t key(token_id left, token_id right) noexcept {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  /// The keys' bits are all in use but regular; a multiplication spreads them over the table.
  struct spread {
    std::size_t operator()(std::uint64_t k) const noexcept {
      k *= 0x9e3779b97f4a7c15u;
      return static_cast<std::size_t>(k ^ k >> 32);
    }
  };

  std::unordered_map<std::uint64_t, merge, spread> merges_;
  std::uint32_t next_rank_ = 0;
};

}  // namespace act::runtime
