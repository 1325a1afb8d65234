#include "programs/passed_over.hpp"

#include <nlohmann/json.hpp>

namespace act_program {

void passed_over::add_to(nlohmann::ordered_json& document) const {
  document["left_out"] = nlohmann::ordered_json::object();
  if (searched) document["left_out"]["search_samples"] = *searched;
  document["left_out"]["too_long"] = too_long;
  document["truncated"] = truncated;
}

std::string passed_over::remarks() const {
  std::string lines;
  const auto say = [&](std::size_t count, const char* what) {
    if (count > 0) lines += std::to_string(count) + what + "\n";
  };
  say(searched.value_or(0), " samples left out: the heads were found on them");
  say(too_long, " samples left out: longer than the model's context");
  say(truncated, " prompts cut at the left to the model's context");
  return lines;
}

}  // namespace act_program
