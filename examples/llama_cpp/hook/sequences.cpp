#include "sequences.hpp"

#include <act/error.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace act_llama {

namespace {

// Of the tokens that a row sees, which are all known: the one in whose cell the row's own token is now. The
// last one, taken back; or where tokens are missing in between, one of those that left the cache together: an
// engine gives the first of their cells away first.
std::vector<std::size_t>::const_iterator rewritten_token(const std::vector<std::size_t>& tokens) {
  const auto last = tokens.end() - 1;
  auto before_gap = last;
  for (auto each = tokens.begin(); each != last; ++each) {
    const bool gap_before = each != tokens.begin() && each[-1] + 1 != each[0],
               gap_behind = each[0] + 1 != each[1];
    if (gap_before && gap_behind) return each;
    if (gap_behind && before_gap == last) before_gap = each;
  }
  return before_gap;
}

}  // namespace

void sequences::tokens::append(std::uint32_t cell) {
  lose(cell);
  if (cell >= token_at.size()) token_at.resize(cell + std::size_t{1}, gone);
  token_at[cell] = static_cast<std::uint32_t>(cell_of.size());
  cell_of.push_back(cell);
  held.insert(cell);
}

void sequences::tokens::lose(std::uint32_t cell) noexcept {
  if (!held.contains(cell)) return;
  cell_of[token_at[cell]] = gone;
  token_at[cell] = gone;
  held.erase(cell);
}

void sequences::tokens::truncate(std::size_t count) noexcept {
  for (; cell_of.size() > count; cell_of.pop_back()) {
    if (cell_of.back() != gone) lose(cell_of.back());
  }
}

void sequences::tokens::erase(act::key_range range) {
  for (std::size_t token = range.begin; token < range.end; ++token) {
    if (cell_of[token] != gone) lose(cell_of[token]);
  }
  cell_of.erase(cell_of.begin() + static_cast<std::ptrdiff_t>(range.begin),
                cell_of.begin() + static_cast<std::ptrdiff_t>(range.end));
  for (std::size_t token = range.begin; token < cell_of.size(); ++token) {
    if (cell_of[token] != gone) token_at[cell_of[token]] = static_cast<std::uint32_t>(token);
  }
}

std::size_t sequences::tokens::token(std::size_t cell) const noexcept {
  return token_at[cell];
}

const std::vector<sequence_step>& sequences::read(std::span<const cell_set> rows) {
  joining_ = 0;
  std::vector<chain> chains;
  cell_set written;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const cell_set& seen = rows[row];
    if (seen.empty()) continue;
    // The sequence of the row before is the likeliest.
    const bool placed =
        std::any_of(chains.rbegin(), chains.rend(), [&](chain& each) { return goes_on(each, row, seen); }) ||
        parts(chains, row, rows);
    if (!placed) {
      chain begun = begin(row, seen);
      if (begun.written.count_not_in(written) == 0) {
        throw act::error(
            act::error_code::unsupported, "mask",
            "two rows see the same keys: the map isn't causal, and nothing says which token is a "
            "row's own");
      }
      chains.push_back(std::move(begun));
    }
    for (const chain& each : chains)
      written.insert_all(each.written);
  }
  remember(chains);
  return steps_;
}

// The row of a sequence's next token, where its last one is in this map.
bool sequences::goes_on(chain& each, std::size_t row, const cell_set& seen) {
  if (!seen.contains(each.known.cell_of.back()) || seen.count_not_in(each.last_seen) != 1) return false;
  // Only a window lets go within a map, and it begins with the first.
  const std::size_t passed = each.last_seen.count_not_in(seen), first = each.known.first + passed;
  bool from_the_first = true;
  each.last_seen.for_each_not_in(
      seen, [&](std::size_t cell) { from_the_first = from_the_first && each.known.token(cell) < first; });
  if (!from_the_first) return false;
  seen.for_each_not_in(each.last_seen, [&](std::size_t cell) {
    place(each, row, first, static_cast<std::uint32_t>(cell), seen);
  });
  return true;
}

// The row of a sequence that shares some of this map's rows with another and parts from it.
bool sequences::parts(std::vector<chain>& chains, std::size_t row, std::span<const cell_set> rows) {
  const cell_set& seen = rows[row];
  for (std::size_t c = 0; c < chains.size(); ++c) {
    if (chains[c].written.count_not_in(seen) == chains[c].written.size()) continue;
    for (std::size_t shared = chains[c].step.rows.size() - 1; shared > 0; --shared) {
      const placed_row last = chains[c].step.rows[shared - 1];
      const std::uint32_t cell = chains[c].known.cell_of[last.token];
      if (cell == gone || !seen.contains(cell)) continue;
      chain other = chains[c];
      other.step.rows.resize(shared);
      for (placed_row& each : other.step.rows)
        each.is_own = false;
      for (std::size_t token = last.token + 1; token < other.known.cell_of.size(); ++token) {
        if (other.known.cell_of[token] != gone) other.written.erase(other.known.cell_of[token]);
      }
      other.known.truncate(last.token + 1);
      other.known.first = last.first;
      other.last_seen = rows[last.row];
      if (!goes_on(other, row, seen)) break;
      chains.push_back(std::move(other));
      return true;
    }
  }
  return false;
}

sequences::chain sequences::begin(std::size_t row, const cell_set& seen) {
  chain begun;
  const origin from = seen.size() == 1 ? origin{} : find_origin(seen);
  if (from.slot == sequence_step::none) {
    std::vector<std::uint32_t> cells;
    seen.for_each([&](std::size_t cell) { cells.push_back(static_cast<std::uint32_t>(cell)); });
    joining_ += cells.size() > 1 ? 1 : 0;
    for (std::size_t k = 0; k + 1 < cells.size(); ++k)
      begun.known.append(cells[k]);
    place(begun, row, 0, cells.back(), seen);
    return begun;
  }
  begun.step.from = from.slot;
  begun.step.kept = from.kept;
  begun.known = slots_[from.slot].known;
  begun.size_before = begun.known.cell_of.size();
  begun.known.truncate(from.kept);

  // A window slides by one key a row; what leaves faster was taken out of the cache.
  const std::size_t first_before = std::min(begun.known.first, from.kept);
  const bool slides = from.first <= first_before + 1;
  std::size_t end = from.kept, first = slides ? from.first : 0;
  for (std::size_t token = from.kept; token-- > first;) {
    const std::uint32_t cell = begun.known.cell_of[token];
    if (cell != gone && cell != from.own && seen.contains(cell)) {
      end = token;
      continue;
    }
    if (token > first) {
      const std::uint32_t before = begun.known.cell_of[token - 1];
      if (before == gone || before == from.own || !seen.contains(before)) continue;
    }
    begun.step.evicted.push_back({token, end});
    begun.known.erase({token, end});
    end = token;
  }
  place(begun, row, first, static_cast<std::uint32_t>(from.own), seen);
  return begun;
}

// The remembered sequence whose first tokens the row sees, all of them as far as may be.
sequences::origin sequences::find_origin(const cell_set& seen) const {
  constexpr std::size_t nobody = sequence_step::none;
  origin best;
  std::vector<std::size_t> tokens_seen;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (!slots_[slot].is_alive) continue;
    const tokens& known = slots_[slot].known;
    // Tokens that the window has passed may have given their cells away, to the row's own token.
    for (const std::size_t first : {known.first, std::size_t{0}}) {
      std::size_t own = nobody, strangers = 0;
      tokens_seen.clear();
      seen.for_each([&](std::size_t cell) {
        if (known.held.contains(cell) && known.token(cell) >= first) {
          tokens_seen.push_back(known.token(cell));
        } else {
          ++strangers;
          own = cell;
        }
      });
      if (strangers > 1 || tokens_seen.size() + strangers < 2) continue;
      std::sort(tokens_seen.begin(), tokens_seen.end());
      if (strangers == 0) {
        const auto rewritten = rewritten_token(tokens_seen);
        own = known.cell_of[*rewritten];
        tokens_seen.erase(rewritten);
      }
      origin found;
      found.slot = slot;
      found.own = own;
      found.first = tokens_seen.front();
      found.kept = tokens_seen.back() + 1;
      found.at_end = found.kept == known.cell_of.size();
      found.missing = found.kept - found.first - tokens_seen.size();
      found.last_seen = slots_[slot].last_seen;
      if (first > 0 && !found.at_end) continue;
      const auto rank = [](const origin& each) {
        return std::tuple(each.missing, !each.at_end, ~each.last_seen);
      };
      if (best.slot == nobody || rank(found) < rank(best)) best = found;
      break;
    }
  }
  return best;
}

void sequences::place(chain& each, std::size_t row, std::size_t first, std::uint32_t cell,
                      const cell_set& seen) {
  each.step.rows.push_back({row, each.known.cell_of.size(), first, true});
  each.known.append(cell);
  each.known.first = first;
  each.last_seen = seen;
  each.written.insert(cell);
}

void sequences::remember(std::vector<chain>& chains) {
  ++maps_;
  joined_ += joining_;
  freed_.clear();
  steps_.clear();
  std::vector<bool> is_taken(slots_.size(), false), is_origin(slots_.size(), false);
  for (const chain& each : chains) {
    if (each.step.from != sequence_step::none) is_origin[each.step.from] = true;
  }
  // A sequence keeps its slot unless tokens behind those kept may live on in their cells.
  for (chain& each : chains) {
    sequence_step& step = each.step;
    step.slot = sequence_step::none;
    if (step.from == sequence_step::none) continue;
    taken_back_ += each.size_before - step.kept;
    const tokens& before = slots_[step.from].known;
    const bool goes_on = step.kept == each.size_before || (before.cell_of[step.kept] != gone &&
                                                           each.written.contains(before.cell_of[step.kept]));
    if (!goes_on || is_taken[step.from]) continue;
    step.slot = step.from;
    is_taken[step.from] = true;
  }
  cell_set written;
  for (chain& each : chains) {
    written.insert_all(each.written);
    if (each.step.slot != sequence_step::none) continue;
    std::size_t slot = 0;
    while (slot < slots_.size() && (slots_[slot].is_alive || is_taken[slot] || is_origin[slot]))
      ++slot;
    if (slot == slots_.size()) {
      slots_.emplace_back();
      is_taken.push_back(false);
      is_origin.push_back(false);
    }
    is_taken[slot] = true;
    each.step.slot = slot;
  }
  std::vector<const cell_set*> written_by(slots_.size(), nullptr);
  for (chain& each : chains) {
    remembered& slot = slots_[each.step.slot];
    slot.known = std::move(each.known);
    slot.is_alive = true;
    slot.last_seen = maps_;
    written_by[each.step.slot] = &each.written;
  }
  // A cell that was written holds nobody else's token any more.
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    remembered& each = slots_[slot];
    if (!each.is_alive) continue;
    written.for_each_not_in(written_by[slot] ? *written_by[slot] : cell_set(),
                            [&](std::size_t cell) { each.known.lose(static_cast<std::uint32_t>(cell)); });
  }
  std::size_t alive = size();
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (!slots_[slot].is_alive || !slots_[slot].known.held.empty()) continue;
    slots_[slot] = {};
    freed_.push_back(slot);
    --alive;
  }
  while (alive > most_) {
    std::size_t oldest = sequence_step::none;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].is_alive && slots_[slot].last_seen < maps_ &&
          (oldest == sequence_step::none || slots_[slot].last_seen < slots_[oldest].last_seen)) {
        oldest = slot;
      }
    }
    if (oldest == sequence_step::none) break;
    slots_[oldest] = {};
    freed_.push_back(oldest);
    --alive;
  }
  for (chain& each : chains) {
    sequence_step step = std::move(each.step);
    step.cells = slots_[step.slot].known.cell_of;
    step.contiguous = true;
    for (std::size_t token = 0; token < step.cells.size(); ++token)
      step.contiguous = step.contiguous && step.cells[token] == step.cells[0] + token;
    steps_.push_back(std::move(step));
  }
}

void sequences::forget() {
  freed_.clear();
  slots_.clear();
  steps_.clear();
}

std::size_t sequences::size() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const remembered& each) { return each.is_alive; }));
}

}  // namespace act_llama
