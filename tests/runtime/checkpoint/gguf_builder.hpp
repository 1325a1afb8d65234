// Writes GGUF bytes piece by piece, right or wrong: whatever a hostile file could hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace act_test {

/// Little-endian bytes, appended.
class byte_writer {
 public:
  template <class T>
  byte_writer& put(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof value);
    return *this;
  }
  byte_writer& text(std::string_view characters) {
    put<std::uint64_t>(characters.size());
    bytes += characters;
    return *this;
  }
  std::string bytes;
};

/// A small GGUF file; members that aren't set follow from what was added.
class gguf_builder {
 public:
  static constexpr std::uint32_t u16 = 2, u32 = 4, i32 = 5, f32 = 6, boolean = 7, string = 8, array = 9;

  byte_writer& value(std::string_view key, std::uint32_t type) {
    ++values_;
    return metadata_.text(key).put(type);
  }
  gguf_builder& number(std::string_view key, std::uint32_t n) { return value(key, u32).put(n), *this; }
  gguf_builder& real(std::string_view key, float n) { return value(key, f32).put(n), *this; }
  gguf_builder& flag(std::string_view key, bool b) {
    return value(key, boolean).put(static_cast<char>(b)), *this;
  }
  gguf_builder& text(std::string_view key, std::string_view s) { return value(key, string).text(s), *this; }
  gguf_builder& texts(std::string_view key, const std::vector<std::string>& list) {
    byte_writer& out = value(key, array).put(string).put<std::uint64_t>(list.size());
    for (const std::string& s : list)
      out.text(s);
    return *this;
  }
  gguf_builder& numbers(std::string_view key, const std::vector<std::int32_t>& list) {
    byte_writer& out = value(key, array).put(i32).put<std::uint64_t>(list.size());
    for (const std::int32_t n : list)
      out.put(n);
    return *this;
  }
  gguf_builder& reals(std::string_view key, const std::vector<float>& list) {
    byte_writer& out = value(key, array).put(f32).put<std::uint64_t>(list.size());
    for (const float n : list)
      out.put(n);
    return *this;
  }
  /// Extents in the file's order (fastest first); the type is ggml's number.
  gguf_builder& tensor(std::string_view name, const std::vector<std::uint64_t>& extents, std::uint32_t type,
                       std::uint64_t offset) {
    ++tensors_;
    table_.text(name).put(static_cast<std::uint32_t>(extents.size()));
    for (const std::uint64_t e : extents)
      table_.put(e);
    table_.put(type).put(offset);
    return *this;
  }

  /// The whole file with `data_bytes` zero bytes of tensor data.
  [[nodiscard]] std::string build(std::size_t data_bytes = 0, std::size_t alignment = 32) const {
    byte_writer file;
    file.bytes = magic;
    file.put(version);
    file.put(tensor_count != unset ? tensor_count : tensors_);
    file.put(value_count != unset ? value_count : values_);
    file.bytes += metadata_.bytes + table_.bytes;
    if (data_bytes != 0) {
      while (file.bytes.size() % alignment != 0)
        file.bytes += '\0';
      file.bytes.append(data_bytes, '\0');
    }
    return file.bytes;
  }

  static constexpr std::uint64_t unset = ~std::uint64_t{1};
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t tensor_count = unset, value_count = unset;

 private:
  byte_writer metadata_, table_;
  std::uint64_t tensors_ = 0, values_ = 0;
};

}  // namespace act_test
