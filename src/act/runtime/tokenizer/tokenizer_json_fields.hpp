// Fields of a tokenizer.json, read with errors that name file and place. For the readers of its parts
// (tokenizer_json*.hpp).
#pragma once

#include <act/io/json_value.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {

class tokenizer_json_fields {
 public:
  explicit tokenizer_json_fields(std::string file) : file_(std::move(file)) {}

  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] std::string where(std::string_view place) const;

  /// Throw `error`: invalid_input for what is malformed, unsupported for what act doesn't have.
  [[noreturn]] void fail(std::string_view place, std::string_view what) const;
  [[noreturn]] void refuse(std::string_view place, std::string_view what) const;

  /// The value at a key that must be there and not null, and of the type that the name says. Throw as `fail`.
  [[nodiscard]] io::json_value member(io::json_value object, const std::string& key,
                                      std::string_view place) const;
  [[nodiscard]] const std::string& text(io::json_value object, const char* key, std::string_view place) const;
  [[nodiscard]] io::json_value list(io::json_value object, const std::string& key,
                                    std::string_view place) const;
  /// One character.
  [[nodiscard]] const std::string& character(io::json_value object, const char* key,
                                             std::string_view place) const;
  /// `fallback` where the key is absent or null; without one it must be there.
  [[nodiscard]] bool flag(io::json_value object, const char* key, std::optional<bool> fallback,
                          std::string_view place) const;

  [[nodiscard]] token_id id_of(io::json_value value, std::string_view place) const;

  /// `pattern` of a Split or a Replace, {"Regex": ..} or {"String": ..}, as a regular expression.
  [[nodiscard]] std::string pattern(io::json_value object, std::string_view place) const;

  /// Steps of a Sequence, under `key`, or the step itself, in order, Sequences in it unfolded.
  template <class Read>
  void each_step(io::json_value step, const char* key, std::string_view place, Read read,
                 int depth = 0) const {
    if (text(step, "type", place) != "Sequence") {
      read(step);
      return;
    }
    if (depth > 16) refuse(place, "has Sequences in more than 16 Sequences");
    for (const io::json_value each : list(step, key, place).items())
      each_step(each, key, place, read, depth + 1);
  }

 private:
  std::string file_;
};

}  // namespace act::runtime
