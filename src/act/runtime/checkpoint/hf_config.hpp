// config.json of a Hugging Face model folder: settings by key, with errors that name file and key, for both
// generations of the file (`rope_theta` at the top or inside `rope_parameters`, `torch_dtype` or `dtype`).
// Which settings there are, and what they mean for the computation, is the architecture's business.
#pragma once

#include <act/io/json_value.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

  /// Nothing is in it.
  [[nodiscard]] bool empty() const noexcept { return values_.size() == 0; }

  /// The key is there and null, which a few settings distinguish from its absence.
  [[nodiscard]] bool is_null(std::string_view key) const;

  /// The activation of the feed-forward block under one name for each function: "relu", "silu", "gelu" (by
  /// the error function) or "gelu_tanh". Throws `error` (unsupported) for the others.
  [[nodiscard]] std::string activation_name(std::string_view key, std::string_view fallback) const;

  /// The settings inside the object at `key`, which messages name too ("text_config.hidden_size"); nothing
  /// when the key is absent or null. Throws `error` (invalid_input) for anything but an object.
  [[nodiscard]] std::optional<hf_config> section(std::string_view key) const;
  /// The list at `key` of T (std::string or double); nothing when the key is absent or null. Throws as
  /// `find`.
  template <class T>
  [[nodiscard]] std::optional<std::vector<T>> find_list(std::string_view key) const;
  /// A number above 0. Throws `error` (invalid_input).
  [[nodiscard]] double positive_or(std::string_view key, double fallback) const;
  /// The same; an absent key is an error too.
  [[nodiscard]] double positive(std::string_view key) const;
  /// Throws `error` (invalid_input) that names file, key and reason.
  [[noreturn]] void fail(std::string_view key, std::string_view why) const;

 private:
  hf_config(const hf_config& whole, io::json_value object, std::string_view key);

  [[noreturn]] void refuse_absent(std::string_view key) const;
  /// The key as messages name it.
  [[nodiscard]] std::string named(std::string_view key) const;

  std::string path_;
  io::json_tree file_;  // keeps `values_` alive
  io::json_value values_;
  std::string within_;  // "text_config." in a section
};

extern template std::optional<bool> hf_config::find(std::string_view key) const;
extern template std::optional<std::size_t> hf_config::find(std::string_view key) const;
extern template std::optional<double> hf_config::find(std::string_view key) const;
extern template std::optional<std::string> hf_config::find(std::string_view key) const;
extern template std::optional<std::vector<double>> hf_config::find_list(std::string_view key) const;
extern template std::optional<std::vector<std::string>> hf_config::find_list(std::string_view key) const;

}  // namespace act::runtime
