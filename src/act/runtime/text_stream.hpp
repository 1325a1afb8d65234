// Text that arrives in pieces of bytes (a token is rarely a whole character) and leaves in pieces that can be
// shown: complete UTF-8 characters, never the beginning of what may become a stop string. For generation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

class text_stream {
 public:
  /// Throws `error` (invalid_option) for an empty stop string: every text would end at once.
  explicit text_stream(std::vector<std::string> stops = {});

  /// Whether a stop string has come; the text ends before the first one, and later bytes are dropped.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

  /// Takes bytes, returns what can be shown now. Bytes that can't be UTF-8 become U+FFFD, one each. Cost:
  /// linear in the bytes and the stop strings' length.
  [[nodiscard]] std::string append(std::string_view bytes);

  /// What is left at the end; an unfinished character becomes U+FFFD.
  [[nodiscard]] std::string finish();

 private:
  // Length of the longest end of `held_` that begins a stop string.
  [[nodiscard]] std::size_t undecided() const;

  // Moves the first `count` held bytes through the characters.
  [[nodiscard]] std::string release(std::size_t count);

  std::vector<std::string> stops_;
  std::string held_;       // bytes that may still become a stop string
  std::string character_;  // the beginning of a character
  bool stopped_ = false;
};

}  // namespace act::runtime
