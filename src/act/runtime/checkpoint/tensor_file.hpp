// One open file of named tensors, whatever its format: what the weights of a model folder are made of
// (folder_weights.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

struct tensor_view;

class tensor_file {
 public:
  tensor_file() = default;
  tensor_file(tensor_file&&) = default;
  tensor_file& operator=(tensor_file&&) = default;
  virtual ~tensor_file() = default;

  [[nodiscard]] virtual const std::string& path() const noexcept = 0;

  /// The tensor called `name`, or nullptr. Throws `error` (unsupported) when it is there but not a weight
  /// that act reads: of another type (masks, position ids), or empty.
  [[nodiscard]] virtual const tensor_view* find_tensor(std::string_view name) const = 0;

  /// Every tensor's name, also of those that `find_tensor` refuses.
  [[nodiscard]] virtual std::vector<std::string_view> names() const = 0;
};

}  // namespace act::runtime
