// SHA-256 of files and of bytes as they come. For telling inputs apart, not for secrets.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace act::io {

/// Move-only; one that was moved from may only be destroyed or assigned to.
class sha256 {
 public:
  sha256();
  sha256(sha256&&) noexcept;
  sha256& operator=(sha256&&) noexcept;
  ~sha256();

  sha256& update(std::span<const std::byte> bytes) noexcept;
  sha256& update(std::string_view text) noexcept;

  /// 64 lower-case hexadecimal digits. Call it once, last.
  [[nodiscard]] std::string hex();

 private:
  struct state;  // libmd's, which its header defines
  std::unique_ptr<state> state_;
};

/// Of a file's content, read in pieces of 1 MiB. Throws error (io) when it can't be read.
[[nodiscard]] std::string sha256_of_file(const std::string& path);

}  // namespace act::io
