#include <act/error.hpp>
#include <act/io/sha256.hpp>

#include <sha2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace act::io {

struct sha256::state {
  SHA2_CTX context;
};

sha256::sha256() : state_(std::make_unique<state>()) {
  SHA256Init(&state_->context);
}

sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;
sha256::~sha256() = default;

sha256& sha256::update(std::span<const std::byte> bytes) noexcept {
  SHA256Update(&state_->context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return *this;
}

sha256& sha256::update(std::string_view text) noexcept {
  return update(std::as_bytes(std::span(text)));
}

std::string sha256::hex() {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256Final(digest.data(), &state_->context);
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256_of_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> piece(std::size_t{1} << 20);
  sha256 digest;
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())), stream.gcount() > 0) {
    digest.update(std::string_view(piece.data(), static_cast<std::size_t>(stream.gcount())));
  }
  if (!stream.eof()) {
    throw error(error_code::io, path, "can't be read; check the path and its permissions");
  }
  return digest.hex();
}

}  // namespace act::io
