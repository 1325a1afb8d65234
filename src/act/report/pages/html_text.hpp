// Text, JSON and bytes made fit to stand inside an HTML page, whatever is in them.
#pragma once

#include <act/io/json_document.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace act::report {

/// Text for an element's content or a quoted attribute: markup characters become entities; bytes that aren't
/// UTF-8, and control characters but tab and newline, become U+FFFD.
[[nodiscard]] std::string html_text(std::string_view text);

/// JSON for a <script type="application/json">: ASCII only, and without the characters that could end the
/// element or begin a comment in it.
[[nodiscard]] std::string script_json(const io::json_document& value);

/// RFC 4648 base64, padded: what a browser's atob() takes.
[[nodiscard]] std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace act::report
