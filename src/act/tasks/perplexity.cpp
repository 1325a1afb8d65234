#include <act/error.hpp>
#include <act/tasks/perplexity.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace act::tasks {

std::vector<perplexity_window> perplexity_windows(std::size_t tokens, std::size_t context,
                                                  std::size_t stride) {
  if (context < 2 || stride < 1 || stride > context) {
    throw error(error_code::invalid_option, "stride",
                "must be from 1 to the context, and the context at least 2");
  }
  if (tokens < 2) {
    throw error(error_code::invalid_input, "text", "must have at least 2 tokens; is the file empty?");
  }
  std::vector<perplexity_window> windows;
  for (std::size_t begin = 0, counted = 1;; begin += stride) {
    const std::size_t end = std::min(begin + context, tokens);
    const std::size_t first = std::max(counted, begin + 1);
    if (first < end) {
      windows.push_back({begin, end, first});
    }
    counted = end;
    if (end == tokens) {
      return windows;
    }
  }
}

double perplexity(double sum_of_log_probabilities, std::size_t count) noexcept {
  return count == 0 ? std::numeric_limits<double>::infinity()
                    : std::exp(-sum_of_log_probabilities / static_cast<double>(count));
}

}  // namespace act::tasks
