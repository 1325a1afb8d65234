// config.json of a Hugging Face model folder: settings by key, with errors that name file and key, for both
// generations of the file (`rope_theta` at the top or inside `rope_parameters`, `torch_dtype` or `dtype`).
// The settings of each architecture are in hf_settings.hpp; what they mean for the computation is the
// architecture's business.
#pragma once

#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/printable.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {

class hf_config {
 public:
  /// Reads `folder`/config.json. Throws `error` (io, invalid_input).
  explicit hf_config(const std::filesystem::path& folder) : path_((folder / "config.json").string()) {
    values_ = io::read_json(path_);
    if (!values_.is_object())
      throw error(error_code::invalid_input, path_, "isn't a JSON object; fetch it again");
    // Settings that change every model's computation, whatever its architecture.
    if (values_.contains("quantization_config") && !values_["quantization_config"].is_null())
      refuse("quantization_config",
             "means quantised weights, which act doesn't read; use the model in F32, F16 or BF16");
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// "llama", "opt", ...: what selects the architecture.
  [[nodiscard]] std::string model_type() const { return get<std::string>("model_type"); }

  /// The value at `key` as T (bool, std::size_t, double or std::string), or nothing when the key is absent or
  /// null: both mean the default to `transformers`. Throws `error` (invalid_input) for a value of another
  /// kind, a negative or fractional size, or a number that isn't finite.
  template <class T>
  [[nodiscard]] std::optional<T> find(std::string_view key) const {
    const auto at = values_.find(std::string(key));
    if (at == values_.end() || at->is_null()) return std::nullopt;
    return convert<T>(*at, key);
  }
  /// As `find`, with `transformers`' default for an absent key.
  template <class T>
  [[nodiscard]] T get_or(std::string_view key, T fallback) const {
    return find<T>(key).value_or(std::move(fallback));
  }
  /// As `find`; an absent key is an error too.
  template <class T>
  [[nodiscard]] T get(std::string_view key) const {
    if (std::optional<T> found = find<T>(key)) return *std::move(found);
    throw error(error_code::invalid_input, path_, "has no '" + std::string(key) + "'; fetch it again");
  }
  /// A count that is at least 1 and small enough that products of two don't overflow.
  [[nodiscard]] std::size_t size_or(std::string_view key, std::size_t fallback) const {
    const std::size_t size = get_or(key, fallback);
    if (size == 0 || size >= (std::size_t{1} << 31))
      throw error(error_code::invalid_input, path_,
                  "'" + std::string(key) + "' is " + std::to_string(size) + ", which no model has");
    return size;
  }

  /// Throws `error` (unsupported) that names file, key and reason.
  [[noreturn]] void refuse(std::string_view key, std::string_view why) const {
    throw error(error_code::unsupported, path_, "'" + std::string(key) + "' " + std::string(why));
  }
  /// Refuses by name a text setting other than those in `supported`; absent means `fallback`.
  std::string one_of(std::string_view key, std::string_view fallback,
                     std::initializer_list<std::string_view> supported) const {
    const std::string value = get_or(key, std::string(fallback));
    std::string known;
    for (const std::string_view s : supported) {
      if (value == s) return value;
      known += (known.empty() ? "" : ", ") + std::string(s);
    }
    refuse(key, "is '" + io::printable(value) + "', which act doesn't support; it has " + known);
  }

  /// The number format the weights were saved in, of either generation; "" when the file doesn't say.
  /// Information only.
  [[nodiscard]] std::string dtype() const { return get_or("dtype", get_or("torch_dtype", std::string())); }

  /// The key is there and null, which a few settings distinguish from its absence.
  [[nodiscard]] bool is_null(std::string_view key) const {
    const auto at = values_.find(std::string(key));
    return at != values_.end() && at->is_null();
  }

  /// The activation of the feed-forward block under one name for each function: "relu", "silu", "gelu" (by
  /// the error function) or "gelu_tanh". Throws `error` (unsupported) for the others.
  [[nodiscard]] std::string activation_name(std::string_view key, std::string_view fallback) const {
    const std::string name = one_of(
        key, fallback,
        {"relu", "silu", "swish", "gelu", "gelu_python", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"});
    if (name == "swish") return "silu";
    if (name == "gelu_python") return "gelu";
    return name.starts_with("gelu_") ? "gelu_tanh" : name;
  }

  /// Rotary positions: the base of their frequencies and the part of each head they turn.
  struct rotary {
    double theta, fraction;
  };
  /// Reads them in either generation's place; `theta_key` and `fraction_key` are the older one's. Throws
  /// `error` (unsupported) for every scaling of the frequencies.
  [[nodiscard]] rotary rope(std::string_view theta_key = "rope_theta",
                            std::string_view fraction_key = "partial_rotary_factor",
                            double fraction = 1.0) const {
    rotary found{get_or(theta_key, 10000.0), get_or(fraction_key, fraction)};
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
      const auto at = values_.find(key);
      if (at == values_.end() || at->is_null()) continue;
      if (!at->is_object())
        throw error(error_code::invalid_input, path_, "'" + std::string(key) + "' isn't an object");
      for (const auto& [name, value] : at->items()) {
        if (value.is_null()) continue;
        if (name == "rope_theta") {
          found.theta = convert<double>(value, name);
        } else if (name == "partial_rotary_factor") {
          found.fraction = convert<double>(value, name);
        } else if (name == "rope_type" || name == "type") {
          const auto type = convert<std::string>(value, name);
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
  /// The base alone, for architectures that turn whole heads; refuses a part by name.
  [[nodiscard]] double rope_theta() const {
    const rotary found = rope();
    if (found.fraction != 1.0)
      refuse("partial_rotary_factor", "is other than 1, which act doesn't support here");
    return found.theta;
  }

 private:
  template <class T>
  [[nodiscard]] T convert(const io::json& value, std::string_view key) const {
    const auto wrong = [&](const char* wanted) {
      return error(error_code::invalid_input, path_,
                   "'" + std::string(key) + "' isn't " + wanted + "; fetch it again");
    };
    if constexpr (std::same_as<T, bool>) {
      if (!value.is_boolean()) throw wrong("true or false");
      return value.get<bool>();
    } else if constexpr (std::same_as<T, std::size_t>) {
      if (!value.is_number_unsigned()) throw wrong("a whole number");
      return static_cast<std::size_t>(value.get<std::uint64_t>());
    } else if constexpr (std::same_as<T, double>) {
      if (!value.is_number() || !std::isfinite(value.get<double>())) throw wrong("a number");
      return value.get<double>();
    } else {
      static_assert(std::same_as<T, std::string>);
      if (!value.is_string()) throw wrong("a text");
      return value.get<std::string>();
    }
  }

  std::string path_;
  io::json values_;
};

}  // namespace act::runtime
