// Samples of a data file that weren't run, or not whole, and how a result says so.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace act_program {

struct passed_over {
  /// Left out: the heads were found on them. Nothing where samples aren't left out for that.
  std::optional<std::size_t> searched = {};
  std::size_t too_long = 0;   ///< left out: longer than the model's context
  std::size_t truncated = 0;  ///< run, their prompts cut

  void add_to(nlohmann::ordered_json& document) const {
    document["left_out"] = nlohmann::ordered_json::object();
    if (searched) document["left_out"]["search_samples"] = *searched;
    document["left_out"]["too_long"] = too_long;
    document["truncated"] = truncated;
  }

  /// A line for each kind that there is.
  [[nodiscard]] std::string remarks() const {
    std::string lines;
    const auto say = [&](std::size_t count, const char* what) {
      if (count > 0) lines += std::to_string(count) + what + "\n";
    };
    say(searched.value_or(0), " samples left out: the heads were found on them");
    say(too_long, " samples left out: longer than the model's context");
    say(truncated, " prompts cut at the left to the model's context");
    return lines;
  }
};

}  // namespace act_program
