// One metadata value of a GGUF file, and its conversion to the C++ type a caller asks for. For gguf.cpp;
// others go through gguf_file::get and find.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace act::io {
class byte_reader;
}

namespace act::runtime {

/// The format's own numbers for the types of metadata.
enum class gguf_type : std::uint32_t {
  uint8,
  int8,
  uint16,
  int16,
  uint32,
  int32,
  float32,
  boolean,
  string,
  array,
  uint64,
  int64,
  float64,
};

/// "uint8" and the like; "unknown" for a number that the format doesn't have.
[[nodiscard]] std::string_view name_of(gguf_type type) noexcept;

/// A value where it lies in the file; its extent has been checked against the file's end.
struct gguf_value {
  gguf_type type = gguf_type::uint8;  ///< of the value, or of an array's elements
  bool is_array = false;
  std::uint64_t count = 1;           ///< elements of an array
  std::span<const std::byte> bytes;  ///< scalar: the number; string: its characters; array: its elements
};

template <class T, class... Others>
concept one_of_types = (std::same_as<T, Others> || ...);

/// The types of one metadata value or element.
template <class T>
concept gguf_element =
    one_of_types<T, bool, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t,
                 std::uint64_t, std::int64_t, float, double, std::string_view>;

/// What gguf_file::get and find can return: such a type, or a std::vector of one.
template <class T>
concept gguf_readable = gguf_element<T> ||
    (gguf_element<typename T::value_type>&& std::same_as<T, std::vector<typename T::value_type>>);

/// The value as T, or nothing when it isn't one: whole numbers convert to any integer type that holds them,
/// floats to float and double.
template <gguf_readable T>
[[nodiscard]] std::optional<T> gguf_convert(const gguf_value& value);

/// Reads one value of `type` and checks its whole extent. Arrays of arrays are walked, to 8 levels, and can't
/// be converted. Throws `error` (invalid_input).
[[nodiscard]] gguf_value read_gguf_value(io::byte_reader& reader, gguf_type type);

}  // namespace act::runtime
