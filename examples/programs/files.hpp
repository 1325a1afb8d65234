// The files that programs read and write: where results go, checked before the work, so that a result that
// has nowhere to go is noticed first.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace act::io {
struct text_file;
}

namespace act_program {

/// Throws act::error unless every output can be written where it should go and overwrites nothing that the
/// program reads or writes itself. `outputs`: option and path, empty paths aside; `inputs`: what is read.
void check_outputs(const std::vector<std::pair<std::string, std::string>>& outputs,
                   const std::vector<std::string>& inputs);

/// Makes the folder that the option names, and those above it, unless it is there; an empty path is none.
/// Throws act::error (io).
void make_folder(const std::string& path, const std::string& option);

/// Where what there is goes when a program is interrupted: beside `path`, whose whole result of an earlier
/// run stays; of a pipe or a device that itself. An empty path stays empty.
[[nodiscard]] std::string partial_path(const std::string& path);

/// A file's text. Throws act::error (io, or invalid_input where it isn't UTF-8).
[[nodiscard]] act::io::text_file read_utf8_file(const std::string& path);

/// The text of --prompt-file; of - that of standard input. Throws as read_utf8_file.
[[nodiscard]] act::io::text_file read_prompt_file(const std::string& path);

}  // namespace act_program
