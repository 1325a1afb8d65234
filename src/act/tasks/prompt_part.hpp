// A part of a prompt by name, for options and heads files. Where it stands in a text is prompt_parts.hpp.
#pragma once

namespace act::tasks {

enum class prompt_part {
  question,     ///< the asked sample's question; classification: what the sample says, without the pattern's
                ///< words
  choices,      ///< its options' texts, without their letters
  instruction,  ///< the task's, which every prompt begins with
};

}  // namespace act::tasks
