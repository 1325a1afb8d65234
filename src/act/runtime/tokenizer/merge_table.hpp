// The merges of a BPE vocabulary and their application to one piece of text. For bpe_model.hpp; it knows
// ids only, neither text nor bytes.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <cstdint>
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
  void apply(std::vector<token_id>& ids, workspace& scratch) const;

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
