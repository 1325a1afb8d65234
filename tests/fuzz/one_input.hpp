// The bytes libFuzzer made, as a file that the readers can open by path. The mapping is replaced (at link
// time, --wrap=mmap) by a heap block of exactly the file's size, so that AddressSanitizer sees a read one
// byte past the end.
#pragma once

#include <act/error.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" {
void* __real_mmap(void*, std::size_t, int, int, int, off_t);
int __real_munmap(void*, std::size_t);

[[gnu::used]] inline void* __wrap_mmap(void* address, std::size_t size, int protection, int flags, int file,
                                       off_t offset) {
  if (file < 0) return __real_mmap(address, size, protection, flags, file, offset);
  void* const block = std::malloc(size);
  return block != nullptr && ::pread(file, block, size, offset) == static_cast<ssize_t>(size) ? block
                                                                                              : MAP_FAILED;
}
[[gnu::used]] inline int __wrap_munmap(void* address, std::size_t) {
  std::free(address);
  return 0;
}
}

namespace act_test {

class one_input {
 public:
  one_input(const std::uint8_t* data, std::size_t size) : file_(::memfd_create("input", 0)) {
    if (file_ < 0 || ::write(file_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  one_input(const one_input&) = delete;
  one_input& operator=(const one_input&) = delete;
  ~one_input() { ::close(file_); }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

/// Runs `action`; act's own refusal, in one line, is the only exception that may come out of it.
template <class Action>
void refused_or_done(Action&& action) {
  try {
    action();
  } catch (const act::error& refused) {
    if (std::string(refused.what()).find('\n') != std::string::npos) std::abort();
  }
}

}  // namespace act_test
