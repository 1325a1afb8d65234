// What can be said of a request before its body is read: whether there is such a path, and a body that
// act-serve takes.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace act::serve {

struct request_head {
  std::string method;
  std::string path;
  std::vector<std::string> content_lengths;  ///< of each such header
  std::string transfer_encoding;
  std::string content_encoding;
  std::string content_type;
};

struct served_path {
  std::string_view path, method;
};

/// All that there are.
inline constexpr std::array<served_path, 7> served_paths{{{"/health", "GET"},
                                                          {"/v1/models", "GET"},
                                                          {"/v1/completions", "POST"},
                                                          {"/v1/chat/completions", "POST"},
                                                          {"/tokenizer_info", "GET"},
                                                          {"/tokenize", "POST"},
                                                          {"/detokenize", "POST"}}};

/// The method of a path that there is.
[[nodiscard]] std::optional<std::string_view> method_of(std::string_view path) noexcept;

/// Throws `refusal`: 404 and 405 for a path or method there isn't, 400 for lengths that are no number or
/// contradict each other, 411 for a body of unknown length, 413 for one that is longer than `body_bytes`,
/// 415 for one that isn't JSON as it is. What comes in chunks is counted by who reads it.
void check_head(const request_head& head, std::size_t body_bytes);

/// 413, for whoever counts.
[[noreturn]] void refuse_long_body(std::size_t body_bytes);

}  // namespace act::serve
