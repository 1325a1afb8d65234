// Text that arrives in pieces of bytes (a token is rarely a whole character) and leaves in pieces that can be
// shown: complete UTF-8 characters, never the beginning of what may become a stop string. For generation.
#pragma once

#include <act/error.hpp>
#include <act/io/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

class text_stream {
 public:
  /// Throws `error` (invalid_option) for an empty stop string: every text would end at once.
  explicit text_stream(std::vector<std::string> stops = {}) : stops_(std::move(stops)) {
    for (const std::string& stop : stops_) {
      if (stop.empty()) throw error(error_code::invalid_option, "stop", "is empty; leave it out");
    }
  }

  /// Whether a stop string has come; the text ends before the first one, and later bytes are dropped.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

  /// Takes bytes, returns what can be shown now. Bytes that can't be UTF-8 become U+FFFD, one each. Cost:
  /// linear in the bytes and the stop strings' length.
  [[nodiscard]] std::string append(std::string_view bytes) {
    if (stopped_) return {};
    held_ += bytes;
    std::size_t end = std::string::npos;
    for (const std::string& stop : stops_)
      end = std::min(end, held_.find(stop));
    if (end != std::string::npos) {
      stopped_ = true;
      held_.resize(end);
      return finish();
    }
    return release(held_.size() - undecided());
  }

  /// What is left at the end; an unfinished character becomes U+FFFD.
  [[nodiscard]] std::string finish() {
    std::string text = release(held_.size());
    if (!character_.empty()) text += replacement;
    character_.clear();
    return text;
  }

 private:
  static constexpr std::string_view replacement = "\xef\xbf\xbd";

  // Length of the longest end of `held_` that begins a stop string.
  [[nodiscard]] std::size_t undecided() const {
    std::size_t longest = 0;
    for (const std::string& stop : stops_) {
      for (std::size_t size = std::min(stop.size() - 1, held_.size()); size > longest; --size) {
        if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, size))) longest = size;
      }
    }
    return longest;
  }

  // Whether `bytes` is the beginning of a character: some bytes behind it would complete it.
  [[nodiscard]] static bool begins_character(std::string_view bytes) {
    // The second byte has narrower ranges behind some first ones; one of these is in each of them.
    constexpr std::array<std::string_view, 3> ends{"\x80\x80\x80", "\x90\x80\x80", "\xa0\x80\x80"};
    return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) {
      return io::utf8_length(std::string(bytes) + std::string(end), 0) > bytes.size();
    });
  }

  // Moves the first `count` held bytes through the characters.
  [[nodiscard]] std::string release(std::size_t count) {
    const std::string bytes = std::exchange(character_, {}) + held_.substr(0, count);
    held_.erase(0, count);
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = io::utf8_length(bytes, at);
      if (length > 0) {
        text.append(bytes, at, length);
      } else if (begins_character(std::string_view(bytes).substr(at))) {
        character_ = bytes.substr(at);
        return text;
      } else {
        text += replacement;
      }
      at += std::max<std::size_t>(length, 1);
    }
    return text;
  }

  std::vector<std::string> stops_;
  std::string held_;       // bytes that may still become a stop string
  std::string character_;  // the beginning of a character
  bool stopped_ = false;
};

}  // namespace act::runtime
