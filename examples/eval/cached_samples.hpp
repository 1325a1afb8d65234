// act-eval --cache of a task whose samples are scored: what a cache that keeps less than every key costs it.
#pragma once

namespace act::tasks {
struct task;
}

namespace act_program {

class command_line;
struct eval_options;

/// Scores the samples with every key kept, and through the cache; prints both and their difference. Throws
/// act::error for files and options that can't be, and `interrupted`, of which nothing is kept.
void evaluate_cached_samples(const command_line& line, const act::tasks::task& task,
                             const eval_options& options);

}  // namespace act_program
