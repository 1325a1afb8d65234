// Which sequences the rows of an attention map belong to, told from nothing but the mask: an engine that
// keeps keys in cells tells the hook neither sequence nor position. For one stream of one cache.
//
// A row of a causal mask sees the cells of its own sequence up to its own token's. So a row sees exactly one
// cell that the row before it in its sequence doesn't see, its own; the cells of a sequence are learnt in the
// order of its tokens as its rows come, whatever cells the engine gives it. What that shows:
//
// - a row that sees one cell begins a sequence;
// - rows of several sequences in one map, in any order (a unified cache);
// - micro-batches and decoding: a sequence goes on where an earlier map left it;
// - tokens taken back (the row sees a first part of a sequence): drafts, a prompt that shares its beginning;
// - sequences that share their beginning and part (beams);
// - tokens that left the cache in between (context shift);
// - a sliding window: a row may not see what the row before it saw first. Its cells may be given away then.
//
// What it can't show: a cache that was cleared and filled behind the hook's back (a loaded state). Whoever
// does that calls forget(). A sequence whose earlier rows never came is taken on from there: its tokens stand
// in the order of their cells.
#pragma once

#include <act/attention_view.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "cell_set.hpp"

namespace act_llama {

/// A row of a map and where it stands in its sequence. It sees the tokens first .. token.
struct placed_row {
  std::size_t row = 0;    ///< of the map
  std::size_t token = 0;  ///< the row's own
  std::size_t first = 0;  ///< over 0 under a sliding window
  bool is_own = true;  ///< false: another sequence's row, which this one begins with and which changes there
};

/// What one map does to one sequence.
struct sequence_step {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  std::size_t slot = 0;     ///< the sequence's number from now on; numbers are used again
  std::size_t from = none;  ///< the slot that it goes on from, as that was before this map: its own, or
                            ///< another's, which is copied; none: it begins
  std::size_t kept = 0;     ///< how many tokens of that are left, later ones taken back
  std::vector<act::key_range> evicted;  ///< of the kept tokens those that left the cache, the last range
                                        ///< first; tokens are numbered without them from here on
  std::vector<placed_row> rows;         ///< in the order of their tokens
  std::vector<std::uint32_t> cells;     ///< of each token so far; sequences::gone where it was given away
  bool contiguous = false;              ///< token t has cell cells[0] + t, all of them
};

class sequences {
 public:
  /// A cell that its token has lost.
  static constexpr std::uint32_t gone = std::numeric_limits<std::uint32_t>::max();

  /// @param most sequences that are remembered, the least recently seen are forgotten first
  explicit sequences(std::size_t most = 256) : most_(most) {}

  /// Reads the rows of one map, of which each sees `rows[i]`; rows that see nothing are padding. Steps are
  /// valid until the next call. Throws act::error (unsupported) when two rows see the same, as in a map that
  /// isn't causal; the state then stays as it was.
  [[nodiscard]] const std::vector<sequence_step>& read(std::span<const cell_set> rows);

  /// Slots whose sequences the last read() forgot.
  [[nodiscard]] std::span<const std::size_t> freed() const noexcept { return freed_; }

  /// Forgets every sequence.
  void forget();

  /// How many sequences are remembered.
  [[nodiscard]] std::size_t size() const noexcept;
  /// How many sequences were taken on without their earlier rows.
  [[nodiscard]] std::size_t joined() const noexcept { return joined_; }
  /// How many tokens were taken back.
  [[nodiscard]] std::size_t taken_back() const noexcept { return taken_back_; }

 private:
  struct tokens {
    std::vector<std::uint32_t> cell_of;   // of each token
    std::vector<std::uint32_t> token_at;  // of each cell; gone: none
    cell_set held;                        // the cells
    std::size_t first = 0;                // what the last row saw first

    void append(std::uint32_t cell);
    void lose(std::uint32_t cell) noexcept;
    void truncate(std::size_t count) noexcept;
    void erase(act::key_range range);
    [[nodiscard]] std::size_t token(std::size_t cell) const noexcept;
  };
  struct remembered {
    tokens known;
    bool is_alive = false;
    std::uint64_t last_seen = 0;
  };
  struct chain {  // a sequence within the map being read
    sequence_step step;
    tokens known;
    cell_set last_seen;
    cell_set written;  // the cells of its rows in this map
    bool took_back = false;
    std::size_t size_before = 0;  // of what it goes on from
  };
  struct origin {
    std::size_t slot = sequence_step::none;
    std::size_t own = 0, kept = 0, first = 0, missing = 0;
    bool at_end = false;
    std::uint64_t last_seen = 0;
  };

  [[nodiscard]] bool goes_on(chain& each, std::size_t row, const cell_set& seen);
  [[nodiscard]] bool parts(std::vector<chain>& chains, std::size_t row, std::span<const cell_set> rows);
  [[nodiscard]] chain begin(std::size_t row, const cell_set& seen);
  [[nodiscard]] origin find_origin(const cell_set& seen) const;
  void place(chain& each, std::size_t row, std::size_t first, std::uint32_t cell, const cell_set& seen);
  void remember(std::vector<chain>& chains);

  std::size_t most_;
  std::vector<remembered> slots_;
  std::vector<sequence_step> steps_;
  std::vector<std::size_t> freed_;
  std::uint64_t maps_ = 0;
  std::size_t joined_ = 0, taken_back_ = 0, joining_ = 0;
};

}  // namespace act_llama
