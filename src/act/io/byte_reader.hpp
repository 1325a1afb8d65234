// A cursor over untrusted bytes: every read is checked against what is left, and a failure names file and
// byte. For the readers of binary model files. It knows nothing of any format.
#pragma once

#include <act/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace act::io {

class byte_reader {
 public:
  /// Reads `bytes`, the content of the file that messages call `file`.
  byte_reader(std::span<const std::byte> bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

  /// The next `count` bytes. Throws `error` (invalid_input) when the file ends before; `what` names them in
  /// the message.
  std::span<const std::byte> take(std::uint64_t count, std::string_view what);

  /// The next little-endian number, at any alignment.
  template <class T>
  requires std::is_arithmetic_v<T> T read(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  /// Throws `error` with this reader's file and the byte at `at` (default: the current one).
  [[noreturn]] void fail(std::string_view message, error_code code = error_code::invalid_input) const {
    fail_at(position_, message, code);
  }
  [[noreturn]] void fail_at(std::size_t at, std::string_view message,
                            error_code code = error_code::invalid_input) const;

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::size_t position_ = 0;
};

}  // namespace act::io
