#include <act/error.hpp>
#include <act/io/mapped_file.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace act::io {
namespace {

// Closes the file that it opens.
struct descriptor {
  int number;
  explicit descriptor(int n) noexcept : number(n) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

mapped_file::mapped_file(const std::string& path) : path_(path) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) fail("can't be opened", errno, "check the path and its permissions");
  struct stat status {};
  if (::fstat(file.number, &status) != 0) fail("can't be examined", errno, "check the file system");
  if (S_ISDIR(status.st_mode))
    throw error(error_code::io, path, "is a folder, not a file; name the model file inside it");
  if (!S_ISREG(status.st_mode))
    throw error(error_code::io, path, "isn't a regular file; copy its content to one first");
  if (status.st_size == 0) return;  // mmap refuses empty ranges; an empty span says the same
  if (!std::in_range<std::size_t>(status.st_size))
    throw error(error_code::io, path, "is larger than the address space; use a 64-bit build");
  size_ = static_cast<std::size_t>(status.st_size);
  void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) fail("can't be mapped into memory", errno, "check the memory limit (ulimit -v)");
  data_ = static_cast<const std::byte*>(address);
  ::posix_madvise(address, size_, POSIX_MADV_WILLNEED);  // advice only: a refusal changes nothing
}

mapped_file::mapped_file(mapped_file&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
  if (this != &other) {
    release();
    path_ = std::move(other.path_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

mapped_file::~mapped_file() {
  release();
}

void mapped_file::let_go(std::span<const std::byte> bytes) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page, end = (begin + bytes.size()) / page * page;
  // Of a file's private pages that nobody wrote to, this is all that the call does.
  if (first < end) ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

void mapped_file::release() noexcept {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void mapped_file::fail(std::string_view what, int code, std::string_view mend) const {
  throw error(error_code::io, path_,
              std::string(what) + " (" + std::generic_category().message(code) + "); " + std::string(mend));
}

}  // namespace act::io
