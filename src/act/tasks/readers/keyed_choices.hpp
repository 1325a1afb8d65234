// arce, arcc, csqa, obqa: JSON lines whose options carry keys of their own, and an answer that names one of
// the keys.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "question"; label = position of answerKey among the options' keys, which may be letters or digits.
/// Reads both published shapes: {"question": {"stem", "choices": [{"text", "label"}]}, "answerKey"} and the
/// flattened
/// {"question" (obqa: "question_stem"), "choices": {"label": [], "text": []}, "answerKey"}. Throws error
/// (invalid_input) for any other line, a key that appears twice, and an answer that is none of the keys.
std::vector<sample> read_keyed_choices(const io::text_file& file);

}  // namespace act::tasks
