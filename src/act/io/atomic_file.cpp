#include <act/error.hpp>
#include <act/io/atomic_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace act::io {

void write_file(const std::string& path, std::string_view text) {
  std::error_code ignored;
  const std::filesystem::file_status before = std::filesystem::status(path, ignored);
  const bool in_place = std::filesystem::exists(before) && !std::filesystem::is_regular_file(before);
  const std::string target = in_place ? path : path + "." + std::to_string(::getpid()) + ".part";
  const auto fail = [&](const char* what) {
    const int reason = errno;
    if (!in_place) {
      ::unlink(target.c_str());
    }
    throw error(
        error_code::io, path,
        std::string("can't be ") + what + " (" + std::strerror(reason) + "); check the folder and the disk");
  };
  const int file = ::open(target.c_str(), O_WRONLY | O_CLOEXEC | (in_place ? 0 : O_CREAT | O_TRUNC), 0666);
  if (file < 0) {
    fail("opened for writing");
  }
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const int reason = errno;
      ::close(file);
      errno = reason;
      fail("written");
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool flushed = in_place || ::fsync(file) == 0;
  if (::close(file) != 0 || !flushed) {
    fail("written");
  }
  if (!in_place && std::rename(target.c_str(), path.c_str()) != 0) {
    fail("put in place");
  }
}

}  // namespace act::io
