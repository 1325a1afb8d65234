// GGUF v2 and v3 model files, memory-mapped: metadata by key, tensors by name; of a split model all its
// files. For the model loader and the tokenizer loader. It doesn't convert numbers (quantization.hpp) and
// doesn't know what a key or a tensor means. The files are untrusted: every count, length, offset and shape
// is checked when they are opened. Format: the GGUF specification of ggml (docs/gguf.md); split files as
// llama.cpp loads them.
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
///
/// Where 'split.count' is above 1, the file is the first of a model split into as many, and the others are
/// opened with it: they lie beside it under the names that llama.cpp's loader looks for (gguf_split.hpp).
/// Metadata is the first file's; of the others only 'split.no', 'split.count' and 'general.alignment' count,
/// each for its file.
class gguf_file {
 public:
  /// Opens and checks the whole structure. Throws `error`: io when a file can't be mapped or one of a split
  /// model isn't there, unsupported for version 1, big-endian files and tensor types act doesn't read,
  /// mismatch when the files of a split model don't belong together, invalid_input for a file of a split
  /// model that isn't its first and for everything malformed, with the byte or the tensor. Cost: one pass
  /// over the metadata; tensor data isn't touched.
  explicit gguf_file(const std::string& path);

  /// The file that was opened: the first one of a split model.
  [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
  [[nodiscard]] std::uint32_t version() const noexcept { return version_; }
  /// The whole of the file at `path()`.
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

  /// All tensors in the file's order, those of a split model's files one after another.
  [[nodiscard]] std::span<const tensor_view> tensors() const noexcept { return tensors_; }
  /// The tensor called `name`, or nullptr.
  [[nodiscard]] const tensor_view* find_tensor(std::string_view name) const;
  /// The tensor called `name`. Throws `error` (invalid_input) naming file and tensor when there is none.
  [[nodiscard]] const tensor_view& tensor(std::string_view name) const;
  /// The path of the file that holds the tensor called `name`; `path()` when there is none.
  [[nodiscard]] const std::string& file_of(std::string_view name) const;

 private:
  struct counts {
    std::uint64_t tensors, values;
  };
  struct location {
    std::size_t tensor, file;  ///< in `tensors_`; 0 is `file_`, others are in `others_`
  };
  struct alone {};  ///< marks the constructor that doesn't look for other files

  gguf_file(const std::string& path, alone);

  void add_split_files(std::uint16_t count);

  void add_split_file(const std::string& path, std::uint16_t number, std::uint16_t count);

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
  std::vector<io::mapped_file> others_;  ///< of a split model
  std::uint32_t version_ = 0;
  std::map<std::string_view, gguf_value> metadata_;
  std::vector<tensor_view> tensors_;
  std::map<std::string_view, location> by_name_;
};

}  // namespace act::runtime
