// config.json of a Hugging Face model folder: settings by key, with errors that name file and key, for both
// generations of the file (`rope_theta` at the top or inside `rope_parameters`, `torch_dtype` or `dtype`).
// The settings of each architecture are in hf_settings.hpp; what they mean for the computation is the
// architecture's business.
#pragma once

#include <act/io/json_value.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {

class hf_config {
 public:
  /// Reads `folder`/config.json. Throws `error` (io, invalid_input).
  explicit hf_config(const std::string& folder);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// "llama", "opt", ...: what selects the architecture.
  [[nodiscard]] std::string model_type() const { return get<std::string>("model_type"); }

  /// The value at `key` as T (bool, std::size_t, double or std::string), or nothing when the key is absent or
  /// null: both mean the default to `transformers`. Throws `error` (invalid_input) for a value of another
  /// kind, a negative or fractional size, or a number that isn't finite.
  template <class T>
  [[nodiscard]] std::optional<T> find(std::string_view key) const;
  /// As `find`, with `transformers`' default for an absent key.
  template <class T>
  [[nodiscard]] T get_or(std::string_view key, T fallback) const {
    return find<T>(key).value_or(std::move(fallback));
  }
  /// As `find`; an absent key is an error too.
  template <class T>
  [[nodiscard]] T get(std::string_view key) const {
    if (std::optional<T> found = find<T>(key)) return *std::move(found);
    refuse_absent(key);
  }
  /// A count that is at least 1 and small enough that products of two don't overflow.
  [[nodiscard]] std::size_t size_or(std::string_view key, std::size_t fallback) const;

  /// Throws `error` (unsupported) that names file, key and reason.
  [[noreturn]] void refuse(std::string_view key, std::string_view why) const;
  /// Throws `error` (invalid_input) unless `part`, the value at `key`, divides `whole`, the value at `of`.
  void require_divides(std::size_t part, std::size_t whole, const char* key, const char* of) const;
  /// Refuses by name a text setting other than those in `supported`; absent means `fallback`.
  std::string one_of(std::string_view key, std::string_view fallback,
                     std::initializer_list<std::string_view> supported) const;

  /// The number format the weights were saved in, of either generation; "" when the file doesn't say.
  /// Information only.
  [[nodiscard]] std::string dtype() const { return get_or("dtype", get_or("torch_dtype", std::string())); }

  /// The key is there and null, which a few settings distinguish from its absence.
  [[nodiscard]] bool is_null(std::string_view key) const;

  /// The activation of the feed-forward block under one name for each function: "relu", "silu", "gelu" (by
  /// the error function) or "gelu_tanh". Throws `error` (unsupported) for the others.
  [[nodiscard]] std::string activation_name(std::string_view key, std::string_view fallback) const;

  /// Rotary positions: the base of their frequencies and the part of each head they turn.
  struct rotary {
    double theta, fraction;
  };
  /// Reads them in either generation's place; `theta_key` and `fraction_key` are the older one's. Throws
  /// `error` (unsupported) for every scaling of the frequencies.
  [[nodiscard]] rotary rope(std::string_view theta_key = "rope_theta",
                            std::string_view fraction_key = "partial_rotary_factor",
                            double fraction = 1.0) const;
  /// The base alone, for architectures that turn whole heads; refuses a part by name.
  [[nodiscard]] double rope_theta() const;

 private:
  [[noreturn]] void refuse_absent(std::string_view key) const;

  std::string path_;
  io::json_tree values_;
};

extern template std::optional<bool> hf_config::find(std::string_view key) const;
extern template std::optional<std::size_t> hf_config::find(std::string_view key) const;
extern template std::optional<double> hf_config::find(std::string_view key) const;
extern template std::optional<std::string> hf_config::find(std::string_view key) const;

}  // namespace act::runtime
