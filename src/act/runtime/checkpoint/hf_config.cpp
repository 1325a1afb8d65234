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
#include <vector>

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
    : path_(std::filesystem::path(folder) / "config.json"),
      file_(io::read_json_object(path_)),
      values_(file_.root()) {
  // Settings that change every model's computation, whatever its architecture.
  const auto quantization = values_.find("quantization_config");
  if (quantization && !quantization->is_null())
    refuse("quantization_config", "means weights quantised by " + quantization_method(*quantization) +
                                      ", which act doesn't read; use the model in F32, F16 or BF16");
}

hf_config::hf_config(const hf_config& whole, io::json_value object, std::string_view key)
    : path_(whole.path_), file_(whole.file_), values_(object), within_(whole.named(key) + ".") {}

std::string hf_config::named(std::string_view key) const {
  return within_ + std::string(key);
}

template <class T>
std::optional<T> hf_config::find(std::string_view key) const {
  const auto at = values_.find(key);
  if (!at) return std::nullopt;
  return convert<T>(*at, named(key), path_);
}

template std::optional<bool> hf_config::find(std::string_view key) const;
template std::optional<std::size_t> hf_config::find(std::string_view key) const;
template std::optional<double> hf_config::find(std::string_view key) const;
template std::optional<std::string> hf_config::find(std::string_view key) const;

void hf_config::refuse_absent(std::string_view key) const {
  throw error(error_code::invalid_input, path_, "has no '" + named(key) + "'; fetch it again");
}

std::size_t hf_config::size_or(std::string_view key, std::size_t fallback) const {
  const std::size_t size = get_or(key, fallback);
  if (size == 0 || size >= (std::size_t{1} << 31))
    throw error(error_code::invalid_input, path_,
                "'" + named(key) + "' is " + std::to_string(size) + ", which no model has");
  return size;
}

void hf_config::refuse(std::string_view key, std::string_view why) const {
  throw error(error_code::unsupported, path_, "'" + named(key) + "' " + std::string(why));
}

void hf_config::require_divides(std::size_t part, std::size_t whole, const char* key, const char* of) const {
  if (whole % part != 0)
    throw error(error_code::invalid_input, path_,
                "'" + named(key) + "' is " + std::to_string(part) + ", which doesn't divide " + of + " " +
                    std::to_string(whole));
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
  const auto at = values_.member(key);
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

std::optional<hf_config> hf_config::section(std::string_view key) const {
  const auto at = values_.find(key);
  if (!at) return std::nullopt;
  if (!at->is_object()) fail(key, "isn't an object");
  return hf_config(*this, *at, key);
}

template <class T>
std::optional<std::vector<T>> hf_config::find_list(std::string_view key) const {
  const auto at = values_.find(key);
  if (!at) return std::nullopt;
  if (!at->is_array()) fail(key, "isn't a list");
  std::vector<T> list;
  for (const io::json_value item : at->items())
    list.push_back(convert<T>(item, named(key) + "[" + std::to_string(list.size()) + "]", path_));
  return list;
}

template std::optional<std::vector<double>> hf_config::find_list(std::string_view key) const;
template std::optional<std::vector<std::string>> hf_config::find_list(std::string_view key) const;

double hf_config::positive_or(std::string_view key, double fallback) const {
  const double value = get_or(key, fallback);
  if (!(value > 0)) fail(key, "isn't a positive number");
  return value;
}

double hf_config::positive(std::string_view key) const {
  if (!find<double>(key)) refuse_absent(key);
  return positive_or(key, 0);
}

void hf_config::fail(std::string_view key, std::string_view why) const {
  throw error(error_code::invalid_input, path_,
              "'" + named(key) + "' " + std::string(why) + "; fetch it again");
}

}  // namespace act::runtime
