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

namespace {

namespace fs = std::filesystem;

// The descriptor that an entry of /proc/self/fd stands for; -1 for another folder's.
int own_descriptor(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  if (name.empty() || name.size() > 6 || name.find_first_not_of("0123456789") != std::string::npos) return -1;
  for (const char* own : {"/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"}) {
    if (fs::equivalent(folder, own, ignored)) return std::stoi(name);
  }
  return -1;
}

bool in_proc(const fs::path& folder) {
  std::error_code ignored;
  const std::string real = fs::weakly_canonical(folder, ignored).string();
  return real == "/proc" || real.starts_with("/proc/");
}

}  // namespace

write_target write_target_of(const std::string& path) {
  constexpr int most_links = 40;  // as Linux allows
  fs::path at = path;
  std::error_code failed;
  for (int link = 0;; ++link) {
    const fs::path folder = at.has_parent_path() ? at.parent_path() : fs::path(".");
    const int descriptor = own_descriptor(folder, at.filename().string());
    if (descriptor >= 0) return {.path = at.string(), .in_place = true, .descriptor = descriptor};
    if (!fs::is_symlink(fs::symlink_status(at, failed)) || in_proc(folder)) break;
    if (link == most_links)
      throw error(error_code::io, path, "is a symbolic link that leads round in circles; mend it");
    const fs::path next = fs::read_symlink(at, failed);
    if (failed) break;  // opening it says why
    at = next.is_absolute() ? next : folder / next;
  }
  const fs::file_status found = fs::status(at, failed);
  const bool in_place = fs::exists(found) && !fs::is_regular_file(found);
  return {.path = at.string(), .in_place = in_place || in_proc(at.parent_path())};
}

void write_file(const std::string& path, std::string_view text) {
  const write_target to = write_target_of(path);
  const std::string opened = to.in_place ? to.path : to.path + "." + std::to_string(::getpid()) + ".part";
  const auto fail = [&](const char* what) {
    const int reason = errno;
    if (!to.in_place) ::unlink(opened.c_str());
    throw error(
        error_code::io, path,
        std::string("can't be ") + what + " (" + std::strerror(reason) + "); check the folder and the disk");
  };
  // A second description of the same file would begin at its start and write over what is there.
  if (to.descriptor == STDOUT_FILENO) std::fflush(stdout);
  const int file =
      to.descriptor >= 0
          ? ::fcntl(to.descriptor, F_DUPFD_CLOEXEC, 0)
          : ::open(opened.c_str(), O_WRONLY | O_CLOEXEC | (to.in_place ? 0 : O_CREAT | O_TRUNC), 0666);
  if (file < 0) fail("opened for writing");
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
  const bool flushed = to.in_place || ::fsync(file) == 0;
  if (::close(file) != 0 || !flushed) {
    fail("written");
  }
  if (!to.in_place && std::rename(opened.c_str(), to.path.c_str()) != 0) {
    fail("put in place");
  }
}

}  // namespace act::io
