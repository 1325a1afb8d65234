#include <act/error.hpp>
#include <act/runtime/sampling.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace act::runtime {

problem sampling_options::validate() const noexcept {
  if (!(temperature >= 0) || temperature > std::numeric_limits<double>::max()) {
    return {"temperature", "must be 0 (greedy) or a positive number"};
  }
  if (!(top_p > 0 && top_p <= 1)) return {"top_p", "must be over 0 and at most 1"};
  return {};
}

std::vector<token_probability> candidates(std::span<const float> logits, const sampling_options& options) {
  throw_if(options.validate(), error_code::invalid_option);
  const auto first = std::max_element(logits.begin(), logits.end());
  const bool nan = std::any_of(logits.begin(), logits.end(), [](float each) { return std::isnan(each); });
  if (nan || first == logits.end() || !std::isfinite(*first)) {
    throw error(error_code::invalid_input, "logits",
                "aren't finite numbers; the checkpoint overflows float and can't be sampled");
  }
  if (options.temperature == 0) {
    return {{static_cast<token_id>(first - logits.begin()), 1.0}};
  }
  const double largest = static_cast<double>(*first);
  std::vector<token_id> order(logits.size());
  std::iota(order.begin(), order.end(), token_id{0});
  const auto by_likelihood = [&](token_id a, token_id b) {
    const float la = logits[static_cast<std::size_t>(a)];
    const float lb = logits[static_cast<std::size_t>(b)];
    return la != lb ? la > lb : a < b;
  };
  const std::size_t kept = options.top_k == 0 ? order.size() : std::min(options.top_k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    by_likelihood);
  order.resize(kept);

  std::vector<token_probability> result(kept);
  double total = 0;
  for (std::size_t i = 0; i < kept; ++i) {
    const double logit = static_cast<double>(logits[static_cast<std::size_t>(order[i])]);
    result[i] = {order[i], std::exp((logit - largest) / options.temperature)};
    total += result[i].probability;
  }
  if (options.top_p < 1) {
    const double enough = options.top_p * total;
    double reached = 0;
    std::size_t count = 0;
    while (count < result.size() && reached < enough)
      reached += result[count++].probability;
    result.resize(count);
    total = reached;
  }
  for (token_probability& each : result)
    each.probability /= total;
  return result;
}

sampler::sampler(const sampling_options& options) : options_(options), draw_(options.seed) {
  throw_if(options.validate(), error_code::invalid_option);
}

token_id sampler::operator()(std::span<const float> logits) {
  const std::vector<token_probability> from = candidates(logits, options_);
  if (options_.temperature == 0) return from.front().token;
  double left = static_cast<double>(draw_() >> 11) * 0x1p-53;
  for (const token_probability& each : from) {
    left -= each.probability;
    if (left < 0) return each.token;
  }
  return from.back().token;  // what rounding left over
}

}  // namespace act::runtime
