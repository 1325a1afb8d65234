#include <act/io/printable.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/request_head.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace act::serve {
namespace {

std::string lower(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

}  // namespace

std::optional<std::string_view> method_of(std::string_view path) noexcept {
  for (const served_path& each : served_paths) {
    if (path == each.path) return each.method;
  }
  return std::nullopt;
}

void refuse_long_body(std::size_t body_bytes) {
  throw refusal("", "the body is longer than " + std::to_string(body_bytes) + " bytes, the limit here")
      .with_status(413);
}

void check_head(const request_head& head, std::size_t body_bytes) {
  const std::optional<std::string_view> method = method_of(head.path);
  if (!method) {
    std::string paths;
    for (const served_path& each : served_paths)
      paths += (paths.empty() ? "" : ", ") + std::string(each.path);
    throw refusal("", "there is no '" + io::printable(head.path) + "' here; there are " + paths)
        .with_status(404);
  }
  if (head.method != *method)
    throw refusal("", head.path + " is asked by " + std::string(*method)).with_status(405);
  if (*method == "GET") return;

  const bool chunked = lower(head.transfer_encoding) == "chunked";
  if (!head.transfer_encoding.empty() && (!chunked || !head.content_lengths.empty()))
    throw refusal("", "Transfer-Encoding: can only be chunked, and without a Content-Length");
  if (!chunked) {
    if (head.content_lengths.empty())
      throw refusal("", "Content-Length: is missing; send the body's length").with_status(411);
    const std::string& text = head.content_lengths.front();
    std::uint64_t length = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
    if (head.content_lengths.size() > 1 || text.empty() || read.ptr != text.data() + text.size())
      throw refusal("", "Content-Length: must be one whole number");
    if (read.ec != std::errc() || length > body_bytes) refuse_long_body(body_bytes);
  }
  const std::string coded = lower(head.content_encoding);
  if (!coded.empty() && coded != "identity")
    throw refusal("", "Content-Encoding: isn't supported; send the body as it is").with_status(415);
  // A page in a browser can send other types to any address without asking.
  const std::string type = lower(head.content_type).substr(0, head.content_type.find(';'));
  if (type.substr(0, type.find_last_not_of(" \t") + 1) != "application/json")
    throw refusal("", "Content-Type: must be application/json").with_status(415);
}

}  // namespace act::serve
