// What messages call the choices that they recommend to change.
#pragma once

#include <string_view>

namespace act::tasks {

/// The names of the API; whoever asks in other words gives theirs: a program the names of its flags. They
/// must outlive their use.
struct choice_names {
  std::string_view scoring = "scoring";
  std::string_view long_prompts = "long_prompts";
  std::string_view subset = "subset";
  std::string_view redistribution = "redistribution";
  std::string_view purpose = "for sinks to give to";  ///< what a part of a prompt is asked for
};

}  // namespace act::tasks
