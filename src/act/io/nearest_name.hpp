// A name that doesn't exist: which one was meant. For messages about options and keys.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace act::io {

/// The one of `known` that `given` most likely means: what it begins, or what differs by few letters (a third
/// of them at most). Empty where none is near.
[[nodiscard]] std::string nearest_name(std::string_view given, std::span<const std::string> known);

}  // namespace act::io
