// An option that doesn't exist: which one was meant. For the message about it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace act_program {

/// The one of `known` ("--task", ...) that `given` most likely means: what llama.cpp's, lm-eval's and
/// transformers' programs call the same thing, what `given` begins, or what differs by few letters. Empty
/// where none is near.
[[nodiscard]] std::string nearest_option(std::string_view given, std::span<const std::string> known);

}  // namespace act_program
