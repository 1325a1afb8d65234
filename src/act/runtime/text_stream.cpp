#include <act/error.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/text_stream.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// Whether `bytes` is the beginning of a character: some bytes behind it would complete it.
bool begins_character(std::string_view bytes) {
  // The second byte has narrower ranges behind some first ones; one of these is in each of them.
  constexpr std::array<std::string_view, 3> ends{"\x80\x80\x80", "\x90\x80\x80", "\xa0\x80\x80"};
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) {
    return io::utf8_length(std::string(bytes) + std::string(end), 0) > bytes.size();
  });
}

}  // namespace

text_stream::text_stream(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    if (stop.empty()) throw error(error_code::invalid_option, "stop", "is empty; leave it out");
  }
}

std::string text_stream::append(std::string_view bytes) {
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

std::string text_stream::finish() {
  std::string text = release(held_.size());
  if (!character_.empty()) text += replacement;
  character_.clear();
  return text;
}

std::size_t text_stream::undecided() const {
  std::size_t longest = 0;
  for (const std::string& stop : stops_) {
    for (std::size_t size = std::min(stop.size() - 1, held_.size()); size > longest; --size) {
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, size))) longest = size;
    }
  }
  return longest;
}

std::string text_stream::release(std::size_t count) {
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

}  // namespace act::runtime
