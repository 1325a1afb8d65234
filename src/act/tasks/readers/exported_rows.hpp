// Rows of a set as Hugging Face's `datasets` writes them as JSON lines (Dataset.to_json): the same samples as
// in the set's own file, where that isn't JSON. Sets whose own files are JSON are read by their own readers,
// which know the exports' names too.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <vector>

namespace act::tasks {

/// Whether the text is JSON lines: its first byte that isn't white space is `{`.
[[nodiscard]] bool is_json_lines(const io::text_file& file) noexcept;

/// Whether sets of this format, whose own files aren't JSON, have rows that read_exported_rows knows.
[[nodiscard]] bool has_exported_rows(file_format format) noexcept;

/// By the names that the exports have:
///   sst2    sentence or text, label            (stanfordnlp/sst2, nyu-mll/glue)
///   sst5    text, label                        (SetFit/sst5)
///   mr      text, label                        (cornell-movie-review-data/rotten_tomatoes)
///   subj    text, label_text                   (SetFit/subj, whose numbers mean the opposite of ours)
///   agnews  text, label                        (fancyzhx/ag_news)
///   dbpedia content, label                     (fancyzhx/dbpedia_14)
///   trec    text, coarse_label                 (CogComp/trec)
///   mmlu    question, subject, choices, answer (cais/mmlu)
/// Texts are taken as they are. Throws error (invalid_input) for any other row, an unlabelled one (-1) too,
/// and (unsupported) for a task whose file is another format.
[[nodiscard]] std::vector<sample> read_exported_rows(const task& of, const io::text_file& file);

}  // namespace act::tasks
