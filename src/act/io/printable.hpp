// Text from an untrusted file, made fit for a one-line message on a terminal. For everything that reports
// what is wrong with a file.
#pragma once

#include <string>
#include <string_view>

namespace act::io {

/// A name from a file, fit for a one-line message: control and non-ASCII bytes as \xNN, cut after 80
/// characters.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace act::io
