// The weights of a Hugging Face model folder: model.safetensors, or the files that
// model.safetensors.index.json lists, as one set of tensors. For the model loader.
#pragma once

#include <act/runtime/checkpoint/safetensors.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

/// Move-only; views live as long as it does.
class safetensors_checkpoint {
 public:
  /// Opens the folder's weights; a single file is preferred to an index, as in `transformers`. Throws
  /// `error`: io when neither is there or a listed file is missing, invalid_input for an index that doesn't
  /// fit the files it lists, and whatever `safetensors_file` throws.
  explicit safetensors_checkpoint(const std::string& folder);

  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  /// The file that says which tensors there are: the single one, or the index.
  [[nodiscard]] const std::string& listing() const noexcept { return listing_; }
  /// The file that holds the tensor called `name`; `listing()` when there is none of that name.
  [[nodiscard]] const std::string& file_of(std::string_view name) const;
  /// The files, in the order of their names: what a fingerprint is made of.
  [[nodiscard]] std::span<const safetensors_file> files() const noexcept { return files_; }

  /// As safetensors_file::find_tensor, over all files.
  [[nodiscard]] const tensor_view* find_tensor(std::string_view name) const;
  /// The tensor called `name`. Throws `error` (invalid_input) naming `listing()` and tensor when there is
  /// none.
  [[nodiscard]] const tensor_view& tensor(std::string_view name) const;

 private:
  void read_index(const std::string& index);

  void check_against_files(const std::string& index) const;

  std::string folder_;
  std::string listing_;
  std::vector<safetensors_file> files_;
  std::map<std::string, std::size_t, std::less<>> where_;
};

}  // namespace act::runtime
