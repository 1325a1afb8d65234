// One file of torch.save (pytorch_model.bin), memory-mapped: a zip with a pickle that describes tensors, and
// their numbers beside it. Like gguf.hpp it trusts nothing in the file and converts no numbers; nothing that
// the pickle names is run (pickle.hpp). A model of several files is folder_weights.hpp. Format: PyTorch's
// torch/serialization.py (the zip), torch/_utils.py (_rebuild_tensor_v2, _rebuild_parameter).
#pragma once

#include <act/io/stored_zip.hpp>
#include <act/runtime/checkpoint/tensor_file.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// An open file; move-only. Views it hands out live as long as it does, also across a move.
class pytorch_file final : public tensor_file {
 public:
  /// Opens the file and checks all of it, the CRC-32 of the tensors' bytes too. Throws `error`: io when it
  /// can't be mapped, invalid_input for everything malformed, unsupported for the format from before PyTorch
  /// 1.6, compressed and big-endian files, TorchScript, a pickle that names or does anything but rebuild
  /// tensors, and one that isn't a dictionary of tensors by name; each names the file and the byte, entry or
  /// tensor. Tensors of types act doesn't read (masks, position ids, float64) are no error here. Cost: one
  /// pass over the file. Tensors that aren't contiguous, transposed ones say, are copied in order, all
  /// together at most as many bytes as the file has; nothing else is copied.
  explicit pytorch_file(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept override { return zip_.path(); }
  [[nodiscard]] const tensor_view* find_tensor(std::string_view name) const override;
  [[nodiscard]] std::vector<std::string_view> names() const override;

 private:
  class reader;
  struct entry {
    tensor_view view;
    std::string unreadable;  // why find_tensor refuses it, if it does
  };

  io::stored_zip zip_;
  std::vector<std::vector<std::byte>> copies_;  // of tensors that aren't contiguous
  std::map<std::string, entry, std::less<>> tensors_;
};

}  // namespace act::runtime
