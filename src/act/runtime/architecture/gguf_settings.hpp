// What a GGUF file's metadata says about a model's sizes and positions: the same keys for every family,
// behind the architecture's name.
#pragma once

#include <act/runtime/layers/norm.hpp>
#include <act/runtime/layers/rotary.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {

class gguf_file;

/// The keys that begin with one architecture's name. `key` is what follows the name and the dot.
class gguf_settings {
 public:
  /// `file` must outlive it.
  gguf_settings(const gguf_file& file, std::string_view architecture);

  [[nodiscard]] const gguf_file& file() const noexcept { return *file_; }

  /// A count from 1 to 2^31. Throws `error` (invalid_input).
  [[nodiscard]] std::size_t size(std::string_view key) const;
  /// The same; an absent key means `absent`.
  [[nodiscard]] std::size_t size_or(std::string_view key, std::size_t absent) const;
  /// The same, where 0 may stand for none.
  [[nodiscard]] std::size_t count_or(std::string_view key, std::size_t absent) const;
  /// A positive number, if there is one.
  [[nodiscard]] std::optional<float> positive(std::string_view key) const;
  [[nodiscard]] bool flag_or(std::string_view key, bool absent) const;
  [[nodiscard]] std::string text_or(std::string_view key, std::string_view absent) const;

  /// Throws `error` (unsupported), naming file, key and reason.
  [[noreturn]] void refuse(std::string_view key, const std::string& why) const;
  /// Throws `error` (invalid_input).
  [[noreturn]] void fail(std::string_view key, const std::string& why) const;

 private:
  [[nodiscard]] std::string named(std::string_view key) const;

  const gguf_file* file_;
  std::string prefix_;
};

/// Sizes and norms, with settings that no family of act has refused by name; biases as stored. Activation:
/// SiLU, gated. Throws `error` (invalid_input, unsupported).
[[nodiscard]] model_config read_sizes(const gguf_settings& from, const char* architecture, norm_kind norms);

/// Adds the rotary embedding to `config`, which has its sizes: dimensions, base, scaling (none, linear, yarn,
/// longrope, Llama 3's by the tensor rope_freqs). Without a type a factor means linear scaling; an older
/// file's `rope.scale_linear` is a factor. `theta_absent`: llama.cpp's default base. As folders', longrope
/// keeps to the short factors and their context. Throws `error` (invalid_input, unsupported).
void add_rotary(const gguf_settings& from, rotary_pairing pairing, model_config& config,
                float theta_absent = 10000.0F);

}  // namespace act::runtime
