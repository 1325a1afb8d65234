// Writing a result so that nobody ever sees half of it: to a new file beside the target, then renamed over
// it.
#pragma once

#include <string>
#include <string_view>

namespace act::io {

/// Makes `path` a file that holds `text`, or leaves what was there before: an interruption at any point, or a
/// full disk, doesn't damage it. The data reaches the disk before the name does. A path that exists and isn't
/// a regular file (/dev/stdout, a pipe) is written straight to. Throws error (io).
void write_file(const std::string& path, std::string_view text);

}  // namespace act::io
