// A bound on what a file's steps may make of a text: replacements can multiply it without end. For
// text_normalizer.hpp and token_decoder.hpp.
#pragma once

#include <act/error.hpp>

#include <cstddef>

namespace act::runtime {

/// Throws `error` (unsupported) when a text has become more than 64 times as long, which no published
/// tokenizer asks for.
inline void check_growth(std::size_t before, std::size_t after) {
  if (after / 64 > before + 1024)
    throw error(error_code::unsupported, "tokenizer.json",
                "its steps make a text more than 64 times as long, which act doesn't support");
}

}  // namespace act::runtime
