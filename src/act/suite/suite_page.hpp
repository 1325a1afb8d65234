// A suite's results as one self-contained page: accuracies with their intervals side by side, the paper's
// tables, every number, and of each search a heat map of layers and heads. It runs no script and loads
// nothing; light or dark as the reader has it, and narrow enough for a phone.
#pragma once

#include <act/suite/results.hpp>

#include <string>
#include <string_view>

namespace act::suite {

/// `title` is any text. Size: some 300 bytes a way of scoring and 150 a searched head.
[[nodiscard]] std::string suite_page(const suite_results& of, std::string_view title);

}  // namespace act::suite
