// A data set of one's own: JSON lines {"prompt": "...", "options": [" positive", " negative"], "label": 1}.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "prompt", used as it is, and choices = options, scored as they are: write their leading space. The
/// label is an index from 0 or an option's text. "prior_prompt", where given, is the same prompt without the
/// sample's own text, for contextual calibration (content_free in prior.hpp). Throws error (invalid_input)
/// for any other line, other keys excepted.
std::vector<sample> read_own_jsonl(const io::text_file& file);

}  // namespace act::tasks
