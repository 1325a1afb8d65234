// act-eval --task ppl: the perplexity of a text, plain and calibrated.
#pragma once

namespace act_program {

class command_line;
struct eval_options;

void evaluate_perplexity(const command_line& line, const eval_options& options);

}  // namespace act_program
