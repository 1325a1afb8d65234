// Tokens as text: as programs want it, and as people can see it. A token's text is hostile input: it may hold
// line ends, escape sequences of terminals, half a character, or characters that turn the line around.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::report {

/// The bytes that a token stands for inside a text: its leading space is there even where a tokenizer drops
/// it at a text's beginning. May be part of a character. Throws `error` for an id outside the vocabulary.
[[nodiscard]] std::string token_text(const runtime::tokenizer& by, runtime::token_id token);

/// Text on one line with nothing hidden in it, for terminals and pages: printable characters as they are;
/// line ends and tabs as \n, \r, \t; bytes that aren't UTF-8 and ASCII control characters as \xNN; other
/// control, format and private characters as \u{N}; a backslash doubled. Cut after `limit` characters, with
/// "..." behind.
[[nodiscard]] std::string visible_text(std::string_view text, std::size_t limit = std::string::npos);

/// A token as tables show it: 'the', ' the', '\n'. In quotes, so that spaces can be seen.
[[nodiscard]] std::string quoted_token(const runtime::tokenizer& by, runtime::token_id token);

}  // namespace act::report
