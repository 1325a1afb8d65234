#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/served_models.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace act::serve {

served_models::served_models(const runtime::model& model, const runtime::tokenizer& by, served_chat chat)
    : model_(&model), by_(&by), chat_(std::move(chat)) {}

void served_models::add(const std::string& name, runtime::model_calibration calibration) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@:/";
  if (name.empty() || name.size() > 128 || name.find_first_not_of(letters) != std::string::npos) {
    throw error(error_code::invalid_option, "model name",
                "'" + io::printable(name) + "' must be 1 to 128 letters, digits or . _ - @ : /");
  }
  if (std::any_of(models_.begin(), models_.end(),
                  [&](const served_model& each) { return each.name == name; }))
    throw error(error_code::invalid_option, "model name", "'" + name + "' is given twice; give each its own");
  models_.push_back({.name = name, .model = model_, .tokenizer = by_, .calibration = std::move(calibration)});
}

const served_model& served_models::find(std::string_view name) const {
  std::string known;
  for (const served_model& each : models_) {
    if (each.name == name) return each;
    known += (known.empty() ? "" : ", ") + each.name;
  }
  throw refusal("model", "model: there is no '" + io::printable(name) + "' here; there are " + known)
      .with_status(404);
}

}  // namespace act::serve
