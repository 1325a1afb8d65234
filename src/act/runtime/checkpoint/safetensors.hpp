// One safetensors file, memory-mapped: tensors by name. For checkpoints in Hugging Face's layout; a model of
// several files is folder_weights.hpp. Like gguf.hpp it trusts nothing in the file and converts no
// numbers. Format: 8 bytes of header length, a JSON header, the tensors' bytes without gaps
// (huggingface/safetensors, README).
#pragma once

#include <act/io/json_value.hpp>
#include <act/io/mapped_file.hpp>
#include <act/runtime/checkpoint/tensor_file.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// An open file; move-only. Views it hands out live as long as it does, also across a move.
class safetensors_file final : public tensor_file {
 public:
  /// Opens the file and checks its structure. Throws `error`: io when it can't be mapped, invalid_input for
  /// everything malformed, naming the byte or the tensor. Tensors of types act doesn't read (masks, position
  /// ids) are no error here.
  explicit safetensors_file(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept override { return file_.path(); }
  /// The whole file, for a fingerprint.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return file_.bytes(); }

  [[nodiscard]] const tensor_view* find_tensor(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string_view> names() const override;

 private:
  struct entry {
    tensor_view view;
    std::string unreadable;  // why find_tensor refuses it, if it does
    std::size_t begin = 0, end = 0;
  };

  [[nodiscard]] std::string place(std::string_view tensor) const;
  [[noreturn]] void fail(std::string_view tensor, std::string_view message) const;

  void read_header(io::json_value header);

  std::size_t whole_number(std::string_view tensor, io::json_value value, std::string_view what) const;

  entry read_entry(std::string_view name, io::json_value fields) const;

  /// No overlaps, and no bytes that belong to no tensor: as the format demands.
  void check_extents() const;

  io::mapped_file file_;
  std::span<const std::byte> data_;
  std::map<std::string, entry, std::less<>> tensors_;
};

}  // namespace act::runtime
