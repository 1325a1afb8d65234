// The names of a GGUF model's files when it is split into several: PREFIX-00001-of-00004.gguf and so on, as
// llama.cpp writes and finds them. For the GGUF reader; names only, nothing is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace act::runtime {

/// The path of file `to` of a model split into `count`, which is beside file `from` at `path` (both from 0);
/// nothing when `path` doesn't end as the name of that file does.
[[nodiscard]] std::optional<std::string> split_path(const std::string& path, std::uint16_t from,
                                                    std::uint16_t to, std::uint16_t count);

/// How the name of file `number` (from 0) ends: "-00001-of-00004.gguf".
[[nodiscard]] std::string split_ending(std::uint16_t number, std::uint16_t count);

/// The same for all files of a split model, whose names end as above, and only for them; any other path as it
/// is.
[[nodiscard]] std::string without_split_number(const std::string& path);

}  // namespace act::runtime
