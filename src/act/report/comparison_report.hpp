// A comparison of many ways of scoring as JSON for programs and as a table for people.
#pragma once

#include <act/io/json_document.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace act::tasks {
struct compared_row;
}

namespace act::report {

/// `[{"name", "map": null | "bias" | "linear", "fitted_on"?, "summary": {as act-eval's baseline},
/// "difference"?: {as act-eval's}}]`; accuracies are fractions.
[[nodiscard]] io::json_document to_json(std::span<const tasks::compared_row> rows);

/// One line a row, of `n` samples.
[[nodiscard]] std::string comparison_table(std::span<const tasks::compared_row> rows, std::size_t n);

}  // namespace act::report
