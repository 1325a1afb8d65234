#include <act/runtime/tokenizer/byte_trie.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace act::runtime {

void byte_trie::insert(std::string_view text, std::size_t value) {
  if (nodes_.empty()) nodes_.emplace_back();
  std::size_t at = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::size_t to = follow(at, byte);
    if (to == none) {
      to = nodes_.size();
      auto& next = nodes_[at].next;
      next.insert(std::lower_bound(next.begin(), next.end(), std::pair{byte, std::size_t{0}}), {byte, to});
      nodes_.emplace_back();
    }
    at = to;
  }
  nodes_[at].value = value;
}

std::optional<byte_trie::match> byte_trie::longest_at(std::string_view text, std::size_t from) const {
  std::optional<match> longest;
  each_at(text, from, [&](const match& found) { longest = found; });
  return longest;
}

std::size_t byte_trie::follow(std::size_t from, unsigned char byte) const {
  const auto& next = nodes_[from].next;
  const auto at = std::lower_bound(next.begin(), next.end(), byte,
                                   [](const auto& edge, unsigned char b) { return edge.first < b; });
  return at != next.end() && at->first == byte ? at->second : none;
}

}  // namespace act::runtime
