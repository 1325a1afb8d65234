// From a task and a path to its samples: opens the files, hands them to the reader of the task's format, and
// refuses a result without samples. The formats themselves are in readers/, one header each, as pure
// functions of the text.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <string>
#include <vector>

namespace act::tasks {

/// The files a task's samples come from, in reading order: the path itself; for mmlu a folder's `*.csv` in
/// file-name order; for piqa the file of labels too, unless there is none and the rows have
/// them. What a search records as its evidence. Throws error (io)
/// for a folder that can't be listed or holds no such file.
std::vector<std::string> files_of(const task& of, const std::string& path);

/// SHA-256 of a task's file; for tasks that read several, of their hashes in reading order. Throws error
/// (io).
[[nodiscard]] std::string data_sha256(const task& of, const std::string& path);

/// The samples of one file's text, by the reader of the task's format, or, where that isn't JSON and the text
/// is, as an export's rows (readers/exported_rows.hpp); without `index`. Of piqa those that have their
/// labels. Throws error (invalid_input) as read_samples.
std::vector<sample> read_one_file(const task& of, const io::text_file& file);

/// Every sample of the task's file (mmlu: file or folder), in the file's order, with `index` set. Throws
/// error (io) when a file can't be read; (invalid_input) for a line that doesn't parse, with `FILE:LINE` and
/// how to mend it, and for a file without samples. Nothing is skipped but empty lines. Memory: the whole file
/// and its samples.
std::vector<sample> read_samples(const task& of, const std::string& path);

}  // namespace act::tasks
