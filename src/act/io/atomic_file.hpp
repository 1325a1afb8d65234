// Writing a result so that nobody ever sees half of it: to a new file beside the target, then renamed over
// it. What isn't a regular file (a pipe, a device, this process's own standard output) is written to instead
// and stays what it is, and so does a symbolic link: what it names is replaced.
#pragma once

#include <string>
#include <string_view>

namespace act::io {

/// Where a result that is asked for at a path goes.
struct write_target {
  std::string path;       ///< with symbolic links followed to the end; need not exist
  bool in_place = false;  ///< it exists and isn't a regular file: what is written is added, not replaced
  int descriptor = -1;    ///< of this process, where the path names one (/dev/stdout, /dev/fd/3); else -1
};

/// Follows the links of `path`. A link of /proc is none: it stands for an open file, whatever name it shows.
/// Throws error (io) for links that go round in circles.
[[nodiscard]] write_target write_target_of(const std::string& path);

/// Makes `path` a file that holds `text`, or leaves what was there before: an interruption at any point, or a
/// full disk, doesn't damage it. The data reaches the disk before the name does. A symbolic link to a regular
/// file, or to one that isn't there yet, stays a link to the file that is written. What isn't a regular file
/// is written straight to; /dev/stdout is standard output itself, also where that is a file: the text goes
/// behind what stands there. Throws error (io).
void write_file(const std::string& path, std::string_view text);

}  // namespace act::io
