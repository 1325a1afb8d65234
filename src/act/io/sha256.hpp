// SHA-256 of files and of bytes as they come, through libmd. For telling inputs apart, not for secrets.
#pragma once

#include <act/error.hpp>

#include <sha2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::io {

class sha256 {
 public:
  sha256() noexcept { SHA256Init(&state_); }

  sha256& update(std::span<const std::byte> bytes) noexcept {
    SHA256Update(&state_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return *this;
  }

  sha256& update(std::string_view text) noexcept { return update(std::as_bytes(std::span(text))); }

  /// 64 lower-case hexadecimal digits. Call it once, last.
  [[nodiscard]] std::string hex() {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA256Final(digest.data(), &state_);
    std::string text;
    for (const std::uint8_t byte : digest) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    return text;
  }

 private:
  SHA2_CTX state_;
};

/// Of a file's content, read in pieces of 1 MiB. Throws error (io) when it can't be read.
[[nodiscard]] inline std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> piece(std::size_t{1} << 20);
  sha256 digest;
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())), stream.gcount() > 0) {
    digest.update(std::string_view(piece.data(), static_cast<std::size_t>(stream.gcount())));
  }
  if (!stream.eof()) {
    throw error(error_code::io, path.string(), "can't be read; check the path and its permissions");
  }
  return digest.hex();
}

}  // namespace act::io
