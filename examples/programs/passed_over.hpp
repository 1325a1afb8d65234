// Samples of a data file that weren't run, or not whole, and how a result says so.
#pragma once

#include <act/io/json_document.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace act_program {

struct passed_over {
  /// Left out: the heads were found on them. Nothing where samples aren't left out for that.
  std::optional<std::size_t> searched = {};
  std::size_t too_long = 0;   ///< left out: longer than the model's context
  std::size_t truncated = 0;  ///< run, their prompts cut

  void add_to(act::io::json_document& document) const;

  /// A line for each kind that there is.
  [[nodiscard]] std::string remarks() const;
};

}  // namespace act_program
