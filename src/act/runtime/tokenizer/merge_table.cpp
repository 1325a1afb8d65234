#include <act/runtime/tokenizer/merge_table.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace act::runtime {

void merge_table::apply(std::vector<token_id>& ids, workspace& scratch) const {
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

}  // namespace act::runtime
