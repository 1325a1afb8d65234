#include <act/runtime/model_identity.hpp>

#include <nlohmann/json.hpp>

namespace act::runtime {

nlohmann::ordered_json to_json(const model_identity& model) {
  auto object = nlohmann::ordered_json::object();
  if (!model.architecture.empty()) {
    object["architecture"] = model.architecture;
  }
  if (model.layers > 0) {
    object["layers"] = model.layers;
  }
  if (model.heads > 0) {
    object["heads"] = model.heads;
  }
  if (!model.fingerprint.empty()) {
    object["fingerprint"] = model.fingerprint;
  }
  return object;
}

}  // namespace act::runtime
