// A whole file as read-only bytes, mapped into memory: model files of gigabytes cost no copy and no read up
// front. For the readers of model files (gguf.hpp, safetensors.hpp). It isn't a stream and doesn't interpret
// anything. POSIX only (mmap). A file that another process shortens while it is mapped raises SIGBUS when the
// lost pages are touched, as with every mapping; model files are expected to stay as they are while they are
// in use.
#pragma once

#include <act/error.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace act::io {

/// Owns the mapping; move-only. Spans taken from `bytes()` are valid while this object, or the one it was
/// moved into, lives.
class mapped_file {
 public:
  /// Maps `path`. Throws `error` (io) when it can't be opened, isn't a regular file, or can't be mapped.
  /// Cost: constant; pages are read when they are first touched, and the system is told that all of them will
  /// be.
  explicit mapped_file(const std::filesystem::path& path) : path_(path) {
    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.number < 0) fail("can't be opened", errno, "check the path and its permissions");
    struct stat status {};
    if (::fstat(file.number, &status) != 0) fail("can't be examined", errno, "check the file system");
    if (S_ISDIR(status.st_mode))
      throw error(error_code::io, path.string(), "is a folder, not a file; name the model file inside it");
    if (!S_ISREG(status.st_mode))
      throw error(error_code::io, path.string(), "isn't a regular file; copy its content to one first");
    if (status.st_size == 0) return;  // mmap refuses empty ranges; an empty span says the same
    if (!std::in_range<std::size_t>(status.st_size))
      throw error(error_code::io, path.string(), "is larger than the address space; use a 64-bit build");
    size_ = static_cast<std::size_t>(status.st_size);
    void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
    if (address == MAP_FAILED)
      fail("can't be mapped into memory", errno, "check the memory limit (ulimit -v)");
    data_ = static_cast<const std::byte*>(address);
    ::posix_madvise(address, size_, POSIX_MADV_WILLNEED);  // advice only: a refusal changes nothing
  }

  mapped_file(mapped_file&& other) noexcept
      : path_(std::move(other.path_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    if (this != &other) {
      release();
      path_ = std::move(other.path_);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;
  ~mapped_file() { release(); }

  /// The file's content; empty for an empty file. No alignment beyond that of the page at its start.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  /// The same content as characters, for text formats.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  struct descriptor {
    int number;
    explicit descriptor(int n) noexcept : number(n) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
      if (number >= 0) ::close(number);
    }
  };

  [[noreturn]] void fail(std::string_view what, int code, std::string_view mend) const {
    throw error(error_code::io, path_.string(),
                std::string(what) + " (" + std::generic_category().message(code) + "); " + std::string(mend));
  }

  void release() noexcept {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  }

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace act::io
