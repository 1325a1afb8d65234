#include <act/io/byte_reader.hpp>
#include <act/runtime/checkpoint/gguf_value.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>

namespace act::runtime {
namespace {

// Bytes of a scalar in the file; 0 for strings, arrays and unknown types.
std::size_t gguf_scalar_bytes(gguf_type type) noexcept {
  switch (type) {
    case gguf_type::uint8:
    case gguf_type::int8:
    case gguf_type::boolean:
      return 1;
    case gguf_type::uint16:
    case gguf_type::int16:
      return 2;
    case gguf_type::uint32:
    case gguf_type::int32:
    case gguf_type::float32:
      return 4;
    case gguf_type::uint64:
    case gguf_type::int64:
    case gguf_type::float64:
      return 8;
    default:
      return 0;
  }
}

// A scalar as T, or nothing when it is of another kind or out of T's range: whole numbers convert to any
// integer type that holds them, floats to float and double.
template <class T>
std::optional<T> gguf_scalar(gguf_type type, const std::byte* at) {
  const auto as = [&]<class Stored>(std::type_identity<Stored>) -> std::optional<T> {
    Stored stored;
    std::memcpy(&stored, at, sizeof stored);
    if constexpr (!std::same_as<T, bool> && std::integral<T> && std::integral<Stored>) {
      if (std::in_range<T>(stored)) return static_cast<T>(stored);
    } else if constexpr (std::floating_point<T> && std::floating_point<Stored>) {
      return static_cast<T>(stored);
    }
    return std::nullopt;
  };
  switch (type) {
    case gguf_type::boolean:
      if constexpr (std::same_as<T, bool>) return *at != std::byte{0};
      return std::nullopt;
    case gguf_type::uint8:
      return as(std::type_identity<std::uint8_t>{});
    case gguf_type::int8:
      return as(std::type_identity<std::int8_t>{});
    case gguf_type::uint16:
      return as(std::type_identity<std::uint16_t>{});
    case gguf_type::int16:
      return as(std::type_identity<std::int16_t>{});
    case gguf_type::uint32:
      return as(std::type_identity<std::uint32_t>{});
    case gguf_type::int32:
      return as(std::type_identity<std::int32_t>{});
    case gguf_type::uint64:
      return as(std::type_identity<std::uint64_t>{});
    case gguf_type::int64:
      return as(std::type_identity<std::int64_t>{});
    case gguf_type::float32:
      return as(std::type_identity<float>{});
    case gguf_type::float64:
      return as(std::type_identity<double>{});
    default:
      return std::nullopt;
  }
}

template <class T>
constexpr bool is_vector = false;
template <class E>
constexpr bool is_vector<std::vector<E>> = true;

// `depth`: how many arrays stand around this value.
gguf_value read_nested(io::byte_reader& reader, gguf_type type, int depth) {
  if (const std::size_t size = gguf_scalar_bytes(type); size != 0) {
    return {type, false, 1, reader.take(size, "a metadata value")};
  }
  if (type == gguf_type::string) {
    const auto length = reader.read<std::uint64_t>("the length of a string");
    return {type, false, 1, reader.take(length, "a string")};
  }
  if (type != gguf_type::array)
    reader.fail("metadata type " + std::to_string(static_cast<std::uint32_t>(type)) +
                " doesn't exist; the file is damaged or newer than this reader");
  if (depth == 8) reader.fail("arrays are nested more than 8 deep; the file is damaged");
  const auto element = static_cast<gguf_type>(reader.read<std::uint32_t>("the element type of an array"));
  const auto count = reader.read<std::uint64_t>("the length of an array");
  const std::size_t size = gguf_scalar_bytes(element);
  // The least an element takes bounds the count before anything is multiplied or reserved.
  const std::size_t least = size != 0 ? size : element == gguf_type::string ? 8 : 12;
  if (count > reader.remaining() / least)
    reader.fail("an array of " + std::to_string(count) + " " + std::string(name_of(element)) +
                " elements doesn't fit into the file; it is truncated or damaged, fetch it again");
  if (size != 0) return {element, true, count, reader.take(count * size, "an array")};
  io::byte_reader walked = reader;  // the elements' extents, then all of them as one range
  for (std::uint64_t i = 0; i < count; ++i)
    read_nested(walked, element, depth + 1);
  if (count == 0 && element != gguf_type::string && element != gguf_type::array)
    reader.fail("metadata type " + std::to_string(static_cast<std::uint32_t>(element)) +
                " doesn't exist; the file is damaged or newer than this reader");
  return {element, true, count, reader.take(walked.position() - reader.position(), "an array")};
}

}  // namespace

std::string_view name_of(gguf_type type) noexcept {
  constexpr std::string_view names[] = {"uint8",  "int8",    "uint16",  "int16",  "uint32",
                                        "int32",  "float32", "boolean", "string", "array",
                                        "uint64", "int64",   "float64"};
  const auto index = static_cast<std::size_t>(type);
  return index < std::size(names) ? names[index] : "unknown";
}

template <gguf_readable T>
std::optional<T> gguf_convert(const gguf_value& value) {
  if constexpr (is_vector<T>) {
    using element = typename T::value_type;
    if (!value.is_array) return std::nullopt;
    T elements;
    if constexpr (std::same_as<element, std::string_view>) {
      if (value.type != gguf_type::string) return std::nullopt;
      elements.reserve(static_cast<std::size_t>(value.count));  // bounded: each has 8 bytes in the file
      const std::byte* at = value.bytes.data();
      for (std::uint64_t i = 0; i < value.count; ++i) {
        std::uint64_t length;
        std::memcpy(&length, at, sizeof length);
        elements.emplace_back(reinterpret_cast<const char*>(at + sizeof length),
                              static_cast<std::size_t>(length));
        at += sizeof length + length;
      }
    } else {
      const std::size_t step = gguf_scalar_bytes(value.type);
      if (step == 0) return std::nullopt;
      elements.reserve(static_cast<std::size_t>(value.count));
      for (std::uint64_t i = 0; i < value.count; ++i) {
        const std::optional<element> converted =
            gguf_scalar<element>(value.type, value.bytes.data() + i * step);
        if (!converted) return std::nullopt;
        elements.push_back(*converted);
      }
    }
    return elements;
  } else if constexpr (std::same_as<T, std::string_view>) {
    if (value.is_array || value.type != gguf_type::string) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
  } else {
    if (value.is_array || gguf_scalar_bytes(value.type) == 0) return std::nullopt;
    return gguf_scalar<T>(value.type, value.bytes.data());
  }
}

template std::optional<bool> gguf_convert(const gguf_value& value);
template std::optional<std::vector<bool>> gguf_convert(const gguf_value& value);
template std::optional<std::uint8_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::uint8_t>> gguf_convert(const gguf_value& value);
template std::optional<std::int8_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::int8_t>> gguf_convert(const gguf_value& value);
template std::optional<std::uint16_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::uint16_t>> gguf_convert(const gguf_value& value);
template std::optional<std::int16_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::int16_t>> gguf_convert(const gguf_value& value);
template std::optional<std::uint32_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::uint32_t>> gguf_convert(const gguf_value& value);
template std::optional<std::int32_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::int32_t>> gguf_convert(const gguf_value& value);
template std::optional<std::uint64_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::uint64_t>> gguf_convert(const gguf_value& value);
template std::optional<std::int64_t> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::int64_t>> gguf_convert(const gguf_value& value);
template std::optional<float> gguf_convert(const gguf_value& value);
template std::optional<std::vector<float>> gguf_convert(const gguf_value& value);
template std::optional<double> gguf_convert(const gguf_value& value);
template std::optional<std::vector<double>> gguf_convert(const gguf_value& value);
template std::optional<std::string_view> gguf_convert(const gguf_value& value);
template std::optional<std::vector<std::string_view>> gguf_convert(const gguf_value& value);

gguf_value read_gguf_value(io::byte_reader& reader, gguf_type type) {
  return read_nested(reader, type, 0);
}

}  // namespace act::runtime
