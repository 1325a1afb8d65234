// ggml's numbers for storage types, as GGUF files hold them: which of act's types one is, and what to call
// one that act doesn't read. For the GGUF reader.
#pragma once

#include <act/runtime/checkpoint/tensor_type.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace act::runtime {

/// The storage type with that number, or nothing when act doesn't read it.
[[nodiscard]] std::optional<tensor_type> ggml_tensor_type(std::uint32_t number) noexcept;

/// For messages, of a type that act doesn't read: "ggml type 34 (TQ1_0)", or "ggml type 99", a number that no
/// type had when this was written.
[[nodiscard]] std::string describe_ggml_type(std::uint32_t number);

/// For messages: the names of all types that act reads in GGUF files, "F32, F16, ... or IQ4_XS".
[[nodiscard]] std::string readable_ggml_types();

}  // namespace act::runtime
