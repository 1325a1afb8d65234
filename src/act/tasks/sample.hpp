// One labelled example of a data set, as every reader returns it and every prompt is made from it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace act::tasks {

/// All text is UTF-8, whatever the file was written in.
struct sample {
  std::size_t index = 0;  ///< 0-based position among the samples of its file (or folder of files)
  std::map<std::string, std::string, std::less<>>
      fields;  ///< "text", "premise", "question" ...: see task.hpp
  std::vector<std::string>
      choices;            ///< multiple choice: the options' texts; squad: the gold answers; else empty
  std::size_t label = 0;  ///< index of the right label word or choice; 0 and meaningless for squad
  std::size_t group = 0;  ///< squad: number of the paragraph; mmlu: number of the subject's file; else 0
};

}  // namespace act::tasks
