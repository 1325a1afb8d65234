// Which model a heads file or a result is about.
#pragma once

#include <act/io/json_document.hpp>

#include <cstddef>
#include <string>

namespace act::runtime {

/// What a heads file says of its model; an empty text or 0 is one it doesn't say.
struct model_identity {
  std::string architecture;
  std::size_t layers = 0;
  std::size_t heads = 0;  ///< query heads of a layer
  std::string fingerprint;
  std::string compute = {};  ///< "bf16" or "int8"; empty: float32

  friend bool operator==(const model_identity&, const model_identity&) = default;
};

/// The model as a JSON object, without what isn't known.
[[nodiscard]] io::json_document to_json(const model_identity& model);

}  // namespace act::runtime
