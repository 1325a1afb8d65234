#include <act/runtime/model_identity.hpp>

namespace act::runtime {

io::json_document to_json(const model_identity& model) {
  auto object = io::json_document::object();
  if (!model.architecture.empty()) {
    object.set("architecture", model.architecture);
  }
  if (model.layers > 0) {
    object.set("layers", model.layers);
  }
  if (model.heads > 0) {
    object.set("heads", model.heads);
  }
  if (!model.fingerprint.empty()) {
    object.set("fingerprint", model.fingerprint);
  }
  return object;
}

}  // namespace act::runtime
