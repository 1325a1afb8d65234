#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

// The value at `key` of the file called `path`.
template <class T>
T convert(io::json_value value, std::string_view key, const std::string& path) {
  const auto wrong = [&](const char* wanted) {
    return error(error_code::invalid_input, path,
                 "'" + std::string(key) + "' isn't " + wanted + "; fetch it again");
  };
  if constexpr (std::same_as<T, bool>) {
    const std::optional<bool> found = value.truth();
    if (!found) throw wrong("true or false");
    return *found;
  } else if constexpr (std::same_as<T, std::size_t>) {
    const std::optional<std::uint64_t> found = value.count();
    if (!found) throw wrong("a whole number");
    return static_cast<std::size_t>(*found);
  } else if constexpr (std::same_as<T, double>) {
    const std::optional<double> found = value.number();
    if (!found || !std::isfinite(*found)) throw wrong("a number");
    return *found;
  } else {
    static_assert(std::same_as<T, std::string>);
    if (value.text() == nullptr) throw wrong("a text");
    return *value.text();
  }
}

// Who quantised the weights, for a message. bitsandbytes' first files don't say it; `transformers` goes by
// the same two settings.
std::string quantization_method(io::json_value settings) {
  if (!settings.is_object()) return "an unknown method";
  const auto method = settings.find("quant_method");
  if (method && method->text() != nullptr) return "'" + io::printable(*method->text()) + "'";
  for (const char* key : {"load_in_8bit", "load_in_4bit"}) {
    const auto loads = settings.find(key);
    if (loads && loads->truth() == true) return "'bitsandbytes'";
  }
  return "a method without a name";
}

}  // namespace

hf_config::hf_config(const std::string& folder)
    : path_(std::filesystem::path(folder) / "config.json"), values_(io::read_json_object(path_)) {
  // Settings that change every model's computation, whatever its architecture.
  const auto quantization = values_.root().find("quantization_config");
  if (quantization && !quantization->is_null())
    refuse("quantization_config", "means weights quantised by " + quantization_method(*quantization) +
                                      ", which act doesn't read; use the model in F32, F16 or BF16");
}

template <class T>
std::optional<T> hf_config::find(std::string_view key) const {
  const auto at = values_.root().find(key);
  if (!at) return std::nullopt;
  return convert<T>(*at, key, path_);
}

template std::optional<bool> hf_config::find(std::string_view key) const;
template std::optional<std::size_t> hf_config::find(std::string_view key) const;
template std::optional<double> hf_config::find(std::string_view key) const;
template std::optional<std::string> hf_config::find(std::string_view key) const;

void hf_config::refuse_absent(std::string_view key) const {
  throw error(error_code::invalid_input, path_, "has no '" + std::string(key) + "'; fetch it again");
}

std::size_t hf_config::size_or(std::string_view key, std::size_t fallback) const {
  const std::size_t size = get_or(key, fallback);
  if (size == 0 || size >= (std::size_t{1} << 31))
    throw error(error_code::invalid_input, path_,
                "'" + std::string(key) + "' is " + std::to_string(size) + ", which no model has");
  return size;
}

void hf_config::refuse(std::string_view key, std::string_view why) const {
  throw error(error_code::unsupported, path_, "'" + std::string(key) + "' " + std::string(why));
}

void hf_config::require_divides(std::size_t part, std::size_t whole, const char* key, const char* of) const {
  if (whole % part != 0)
    throw error(error_code::invalid_input, path_,
                "'" + std::string(key) + "' is " + std::to_string(part) + ", which doesn't divide " + of +
                    " " + std::to_string(whole));
}

std::string hf_config::one_of(std::string_view key, std::string_view fallback,
                              std::initializer_list<std::string_view> supported) const {
  const std::string value = get_or(key, std::string(fallback));
  std::string known;
  for (const std::string_view s : supported) {
    if (value == s) return value;
    known += (known.empty() ? "" : ", ") + std::string(s);
  }
  refuse(key, "is '" + io::printable(value) + "', which act doesn't support; it has " + known);
}

bool hf_config::is_null(std::string_view key) const {
  const auto at = values_.root().member(key);
  return at && at->is_null();
}

std::string hf_config::activation_name(std::string_view key, std::string_view fallback) const {
  const std::string name =
      one_of(key, fallback,
             {"relu", "silu", "swish", "gelu", "gelu_python", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"});
  if (name == "swish") return "silu";
  if (name == "gelu_python") return "gelu";
  return name.starts_with("gelu_") ? "gelu_tanh" : name;
}

hf_config::rotary hf_config::rope(std::string_view theta_key, std::string_view fraction_key,
                                  double fraction) const {
  rotary found{get_or(theta_key, 10000.0), get_or(fraction_key, fraction)};
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const auto at = values_.root().find(key);
    if (!at) continue;
    if (!at->is_object())
      throw error(error_code::invalid_input, path_, "'" + std::string(key) + "' isn't an object");
    for (const auto& [name, value] : at->members()) {
      if (value.is_null()) continue;
      if (name == "rope_theta") {
        found.theta = convert<double>(value, name, path_);
      } else if (name == "partial_rotary_factor") {
        found.fraction = convert<double>(value, name, path_);
      } else if (name == "rope_type" || name == "type") {
        const auto type = convert<std::string>(value, name, path_);
        if (type != "default")
          refuse(key, "has the type '" + io::printable(type) + "'; act supports default");
      } else if (value.is_object()) {
        refuse(key, "differs between layers, which act doesn't support");
      }
    }
  }
  if (!(found.theta > 0))
    throw error(error_code::invalid_input, path_, "'rope_theta' isn't a positive number");
  if (!(found.fraction > 0 && found.fraction <= 1))
    throw error(error_code::invalid_input, path_, "'partial_rotary_factor' isn't above 0 and at most 1");
  return found;
}

double hf_config::rope_theta() const {
  const rotary found = rope();
  if (found.fraction != 1.0)
    refuse("partial_rotary_factor", "is other than 1, which act doesn't support here");
  return found.theta;
}

}  // namespace act::runtime
