#include <act/runtime/shared_prompts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::runtime {

std::vector<shared_beginning> common_beginning(const packed_prompts& prompts) {
  std::vector<shared_beginning> all(prompts.sequences.size());
  if (all.size() < 2) return all;
  const std::span<const token_id> tokens(prompts.tokens);
  const auto of = [&](const attention_sequence& each) { return tokens.subspan(each.first_key, each.keys); };
  const std::span<const token_id> first = of(prompts.sequences.front());
  std::size_t common = first.size();
  for (const attention_sequence& each : prompts.sequences) {
    if (each.keys <= few_queries) return all;
    common = std::min(common, each.keys - few_queries - 1);
    const auto begin = first.begin(), end = begin + static_cast<std::ptrdiff_t>(common);
    common = static_cast<std::size_t>(std::mismatch(begin, end, of(each).begin()).first - begin);
  }
  for (std::size_t i = 1; i < all.size(); ++i)
    all[i].tokens = common;
  return all;
}

shared_prompts::shared_prompts(const packed_prompts& whole, std::span<const shared_beginning> of) {
  for (std::size_t i = 0; i < whole.sequences.size(); ++i) {
    const attention_sequence& full = whole.sequences[i];
    const std::size_t common = of[i].tokens;
    const std::size_t from = common == 0 ? 0 : packed_.sequences[of[i].prompt].first_key;
    for (std::size_t at = 0; at < common; ++at)
      row_of_.push_back(static_cast<std::uint32_t>(from + at));
    const std::size_t own = full.keys - common;
    packed_.sequences.push_back(
        {.first_query = packed_.rows(), .queries = own, .first_key = packed_.rows(), .keys = own});
    past_.push_back({.first_row = from, .count = common});
    for (std::size_t row = full.first_key + common; row < full.first_key + full.keys; ++row) {
      row_of_.push_back(static_cast<std::uint32_t>(packed_.rows()));
      packed_.tokens.push_back(whole.tokens[row]);
      packed_.positions.push_back(whole.positions[row]);
    }
  }
}

std::vector<attention_sequence> shared_prompts::sequences(const matrix& key_value) const {
  std::vector<attention_sequence> attending = packed_.sequences;
  const std::size_t stride = key_value.cols();
  for (std::size_t i = 0; i < attending.size(); ++i) {
    if (past_[i].count == 0) continue;
    const float* rows = key_value.data() + past_[i].first_row * stride;
    attending[i].past = {
        .keys = rows, .values = rows + stride / 2, .count = past_[i].count, .stride = stride};
  }
  return attending;
}

}  // namespace act::runtime
