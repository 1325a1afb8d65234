// Perplexity of a long text with a limited context: which windows to run and which of their tokens to count.
// Sliding windows: each token is predicted from up to `context` tokens, and from at least context - stride of
// them after the first window.
#pragma once

#include <cstddef>
#include <vector>

namespace act::tasks {

/// One forward pass over tokens [begin, end), of which [first_scored, end) are counted: token t by its
/// log-probability after tokens begin .. t - 1.
struct perplexity_window {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t first_scored = 0;

  friend bool operator==(const perplexity_window&, const perplexity_window&) = default;
};

/// The windows over `tokens` tokens: they begin at 0, stride, 2 stride, ... and stop with the one that
/// reaches the end. No token is counted twice. With stride < context every token but the first is counted;
/// with stride = context the first of each window isn't, as it has no context there. Throws error
/// (invalid_option) unless 1 <= stride <= context and context >= 2, and (invalid_input) for fewer than 2
/// tokens.
[[nodiscard]] std::vector<perplexity_window> perplexity_windows(std::size_t tokens, std::size_t context,
                                                                std::size_t stride);

/// exp of the mean negative log-likelihood (natural logarithms). Infinite for count = 0.
[[nodiscard]] double perplexity(double sum_of_log_probabilities, std::size_t count) noexcept;

}  // namespace act::tasks
