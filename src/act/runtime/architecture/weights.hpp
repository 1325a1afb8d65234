// From named tensors to a model: finds every matrix, checks every shape and every number.
#pragma once

#include <act/runtime/model.hpp>
#include <act/runtime/products/compute_type.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace act::runtime {

struct model_description;
struct tensor_view;

/// The tensors of an open checkpoint, whatever its file format.
struct checkpoint_tensors {
  std::function<const tensor_view*(std::string_view name)> find;  ///< nullptr: no such tensor
  /// For messages: the file that a tensor is in, by its name there, or where one that isn't there is missing.
  std::function<std::string(std::string_view name)> file_of;
  std::shared_ptr<const void> file;  ///< keeps the tensors' bytes mapped
};

/// The model that is described so. Throws `error`: invalid_input for a missing tensor, a shape that doesn't
/// fit the configuration, or a weight that isn't finite, each naming file and tensor. Cost: every
/// number is read once; matrices stay where they are stored (those of GPT-2's folders, whose inputs come
/// first, are turned into memory of their own).
[[nodiscard]] model read_weights(const checkpoint_tensors& tensors, const model_description& description,
                                 compute_type compute);

}  // namespace act::runtime
