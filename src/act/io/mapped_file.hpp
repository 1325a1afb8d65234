// A whole file as read-only bytes, mapped into memory: model files of gigabytes cost no copy and no read up
// front. For the readers of model files (gguf.hpp, safetensors.hpp). It isn't a stream and doesn't interpret
// anything. POSIX only (mmap). A file that another process shortens while it is mapped raises SIGBUS when the
// lost pages are touched, as with every mapping; model files are expected to stay as they are while they are
// in use.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace act::io {

/// Owns the mapping; move-only. Spans taken from `bytes()` are valid while this object, or the one it was
/// moved into, lives.
class mapped_file {
 public:
  /// Maps `path`. Throws `error` (io) when it can't be opened, isn't a regular file, or can't be mapped.
  /// Cost: constant; pages are read when they are first touched, and the system is told that all of them will
  /// be.
  explicit mapped_file(const std::string& path);

  mapped_file(mapped_file&& other) noexcept;
  mapped_file& operator=(mapped_file&& other) noexcept;
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;
  ~mapped_file();

  /// The file's content; empty for an empty file. No alignment beyond that of the page at its start.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  /// The same content as characters, for text formats.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Gives back the memory of the pages that lie in `bytes`, a part of a mapped file that won't be read soon.
  /// Their content stays what it is: who reads them has them from the file again.
  static void let_go(std::span<const std::byte> bytes) noexcept;

 private:
  [[noreturn]] void fail(std::string_view what, int code, std::string_view mend) const;

  void release() noexcept;

  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace act::io
