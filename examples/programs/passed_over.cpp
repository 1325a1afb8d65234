#include "programs/passed_over.hpp"

#include <act/io/json_document.hpp>

namespace act_program {

void passed_over::add_to(act::io::json_document& document) const {
  act::io::json_document left_out;
  if (searched) left_out.set("search_samples", *searched);
  left_out.set("too_long", too_long);
  document.set("left_out", std::move(left_out));
  document.set("truncated", truncated);
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
