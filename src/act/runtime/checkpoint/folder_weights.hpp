// The weights of a Hugging Face model folder as one set of tensors: a single file, or the files that an index
// lists, as safetensors or as PyTorch wrote them. For the model loader, which needn't know which.
#pragma once

#include <act/runtime/checkpoint/tensor_file.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// Move-only; views live as long as it does.
class folder_weights {
 public:
  /// Opens the first of these that is there, the order of `transformers`: model.safetensors,
  /// model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json. Throws `error`: io when
  /// none is there or a listed file is missing, invalid_input for an index that doesn't fit the files it
  /// lists, and whatever `safetensors_file` or `pytorch_file` throws.
  explicit folder_weights(const std::string& folder);

  /// The file that says which tensors there are: the single one, or the index.
  [[nodiscard]] const std::string& listing() const noexcept { return listing_; }
  /// The file that holds the tensor called `name`; `listing()` when there is none of that name.
  [[nodiscard]] const std::string& file_of(std::string_view name) const;

  /// As tensor_file::find_tensor, over all files.
  [[nodiscard]] const tensor_view* find_tensor(std::string_view name) const;
  /// The tensor called `name`. Throws `error` (invalid_input) naming `listing()` and tensor when there is
  /// none.
  [[nodiscard]] const tensor_view& tensor(std::string_view name) const;

 private:
  using opener = std::unique_ptr<const tensor_file> (*)(const std::string& path);

  void read_index(opener open);

  void check_against_files() const;

  std::string listing_;
  std::vector<std::unique_ptr<const tensor_file>> files_;
  std::map<std::string, std::size_t, std::less<>> where_;
};

}  // namespace act::runtime
