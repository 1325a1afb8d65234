// GGUF v2 and v3 model files (llama.cpp's single-file format), memory-mapped: metadata by key, tensors by
// name. For the model loader and the tokenizer loader. It doesn't convert numbers (quantization.hpp) and
// doesn't know what a key or a tensor means. The file is untrusted: every count, length, offset and shape is
// checked when it is opened. Format: the GGUF specification of ggml (docs/gguf.md).
#pragma once

#include <act/io/mapped_file.hpp>
#include <act/runtime/checkpoint/gguf_value.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::io {
class byte_reader;
}

namespace act::runtime {

/// An open GGUF file; move-only. Views it hands out (strings, tensors) live as long as it does, also across a
/// move.
class gguf_file {
 public:
  /// Opens and checks the whole structure. Throws `error`: io when it can't be mapped, unsupported for
  /// version 1, big-endian files and tensor types act doesn't read, invalid_input for everything malformed,
  /// with the byte or the tensor. Cost: one pass over the metadata; tensor data isn't touched.
  explicit gguf_file(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
  [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
  /// The whole file, for a fingerprint.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return file_.bytes(); }

  /// The metadata value at `key` as T: bool, a std::int8_t to std::uint64_t, float, double,
  /// std::string_view, or a std::vector of one of these. Whole numbers convert to every integer type that
  /// holds them. Throws `error` (invalid_input), naming file and key, when it is missing or something else.
  /// Arrays are copied: keep the result.
  template <gguf_readable T>
  [[nodiscard]] T get(std::string_view key) const {
    if (std::optional<T> found = find<T>(key)) return *std::move(found);
    refuse_absent(key);
  }

  /// As `get`, but nothing when the key is missing; still throws when the value isn't a T.
  template <gguf_readable T>
  [[nodiscard]] std::optional<T> find(std::string_view key) const;

  [[nodiscard]] bool has(std::string_view key) const { return metadata_.contains(key); }

  /// All tensors in the file's order.
  [[nodiscard]] std::span<const tensor_view> tensors() const noexcept { return tensors_; }
  /// The tensor called `name`, or nullptr.
  [[nodiscard]] const tensor_view* find_tensor(std::string_view name) const;
  /// The tensor called `name`. Throws `error` (invalid_input) naming file and tensor when there is none.
  [[nodiscard]] const tensor_view& tensor(std::string_view name) const;

 private:
  struct counts {
    std::uint64_t tensors, values;
  };

  [[noreturn]] void refuse_absent(std::string_view key) const;

  counts read_header(io::byte_reader& reader);

  void read_metadata(io::byte_reader& reader, std::uint64_t count);

  /// "FILE: tensor 'x'", for messages.
  [[nodiscard]] std::string place(std::string_view tensor) const;
  [[noreturn]] void fail(std::string_view tensor, std::string_view message) const;

  /// Reads one entry of the tensor table; `offset` becomes the start of its data in the data section.
  tensor_view read_tensor_entry(io::byte_reader& reader, std::uint64_t& offset, std::size_t& size) const;

  void read_tensors(io::byte_reader& reader, std::uint64_t count);

  io::mapped_file file_;
  std::uint32_t version_ = 0;
  std::map<std::string_view, gguf_value> metadata_;
  std::vector<tensor_view> tensors_;
  std::map<std::string_view, std::size_t> by_name_;
};

}  // namespace act::runtime
