#include <act/error.hpp>
#include <act/io/byte_reader.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/ggml_type.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/gguf_split.hpp>
#include <act/runtime/checkpoint/gguf_value.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// What a T in a file is called.
template <class T>
constexpr std::string_view kind_of() {
  if constexpr (!gguf_element<T>) {
    if constexpr (std::same_as<typename T::value_type, std::string_view>) return "an array of strings";
    return "an array of numbers in range";
  } else if constexpr (std::same_as<T, std::string_view>) {
    return "a string";
  } else if constexpr (std::same_as<T, bool>) {
    return "a boolean";
  } else if constexpr (std::floating_point<T>) {
    return "a floating-point number";
  } else {
    return "a whole number in range";
  }
}

std::string_view read_string(io::byte_reader& reader, std::string_view what) {
  const auto length = reader.read<std::uint64_t>(what);
  const auto characters = reader.take(length, what);
  return {reinterpret_cast<const char*>(characters.data()), characters.size()};
}

}  // namespace

gguf_file::gguf_file(const std::string& path) : gguf_file(path, alone{}) {
  const auto files = find<std::uint16_t>("split.count").value_or(1);
  if (files > 1) add_split_files(files);
}

gguf_file::gguf_file(const std::string& path, alone) : file_(path) {
  io::byte_reader reader(file_.bytes(), path);
  const auto [tensor_count, value_count] = read_header(reader);
  read_metadata(reader, value_count);
  read_tensors(reader, tensor_count);
}

template <gguf_readable T>
std::optional<T> gguf_file::find(std::string_view key) const {
  const auto at = metadata_.find(key);
  if (at == metadata_.end()) return std::nullopt;
  if (std::optional<T> converted = gguf_convert<T>(at->second)) return converted;
  throw error(error_code::invalid_input, path(),
              "metadata '" + std::string(key) + "' should be " + std::string(kind_of<T>()) + " but is " +
                  (at->second.is_array ? "an array of " : "of type ") +
                  std::string(name_of(at->second.type)) + "; convert the model again");
}

template std::optional<bool> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<bool>> gguf_file::find(std::string_view key) const;
template std::optional<std::uint8_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::uint8_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::int8_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::int8_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::uint16_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::uint16_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::int16_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::int16_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::uint32_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::uint32_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::int32_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::int32_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::uint64_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::uint64_t>> gguf_file::find(std::string_view key) const;
template std::optional<std::int64_t> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::int64_t>> gguf_file::find(std::string_view key) const;
template std::optional<float> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<float>> gguf_file::find(std::string_view key) const;
template std::optional<double> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<double>> gguf_file::find(std::string_view key) const;
template std::optional<std::string_view> gguf_file::find(std::string_view key) const;
template std::optional<std::vector<std::string_view>> gguf_file::find(std::string_view key) const;

void gguf_file::refuse_absent(std::string_view key) const {
  throw error(error_code::invalid_input, path(),
              "has no metadata '" + std::string(key) + "'; convert the model again with a current converter");
}

const tensor_view* gguf_file::find_tensor(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : &tensors_[at->second.tensor];
}

const std::string& gguf_file::file_of(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() || at->second.file == 0 ? path() : others_[at->second.file - 1].path();
}

const tensor_view& gguf_file::tensor(std::string_view name) const {
  if (const tensor_view* found = find_tensor(name)) return *found;
  throw error(
      error_code::invalid_input, path(),
      "has no tensor '" + std::string(name) + "'; the file isn't a complete model of its architecture");
}

gguf_file::counts gguf_file::read_header(io::byte_reader& reader) {
  const auto magic = reader.take(4, "the magic 'GGUF'");
  if (std::memcmp(magic.data(), "GGUF", 4) != 0)
    reader.fail_at(0, "isn't a GGUF file (it doesn't start with 'GGUF'); pass a .gguf file");
  version_ = reader.read<std::uint32_t>("the version");
  if (version_ != 0 && (version_ & 0xffff) == 0)
    reader.fail_at(4, "is a big-endian GGUF file; use the little-endian one", error_code::unsupported);
  if (version_ != 2 && version_ != 3)
    reader.fail_at(
        4, "is GGUF version " + std::to_string(version_) + ", act reads 2 and 3; convert the model again",
        error_code::unsupported);
  const auto tensors = reader.read<std::uint64_t>("the tensor count");
  const auto values = reader.read<std::uint64_t>("the metadata count");
  // Least bytes of a tensor entry (length, axes, extent, type, offset) and of a value (length, type, one
  // byte).
  if (tensors > reader.remaining() / 32)
    reader.fail_at(
        8, "a count of " + std::to_string(tensors) + " tensors doesn't fit into the file; it is damaged");
  if (values > reader.remaining() / 13)
    reader.fail_at(16, "a count of " + std::to_string(values) +
                           " metadata values doesn't fit into the file; it is damaged");
  return {tensors, values};
}

void gguf_file::read_metadata(io::byte_reader& reader, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t start = reader.position();
    const std::string_view key = read_string(reader, "a metadata key");
    const auto type = static_cast<gguf_type>(reader.read<std::uint32_t>("the type of a metadata value"));
    const gguf_value value = read_gguf_value(reader, type);
    if (!metadata_.emplace(key, value).second)
      reader.fail_at(start,
                     "metadata key '" + io::printable(key) + "' is there twice; convert the model again");
  }
}

std::string gguf_file::place(std::string_view tensor) const {
  return path() + ": tensor '" + io::printable(tensor) + "'";
}

void gguf_file::fail(std::string_view tensor, std::string_view message) const {
  throw error(error_code::invalid_input, place(tensor), message);
}

tensor_view gguf_file::read_tensor_entry(io::byte_reader& reader, std::uint64_t& offset,
                                         std::size_t& size) const {
  tensor_view tensor;
  tensor.name = read_string(reader, "a tensor's name");
  const auto axes = reader.read<std::uint32_t>("a tensor's number of axes");
  if (axes < 1 || axes > 4)
    fail(tensor.name, "has " + std::to_string(axes) + " axes, 1 to 4 are possible; the file is damaged");
  tensor.shape.resize(axes);
  std::size_t elements = 1;
  for (std::uint32_t axis = 0; axis < axes; ++axis) {
    const auto extent = reader.read<std::uint64_t>("a tensor's extent");
    if (extent == 0 || extent > static_cast<std::size_t>(-1) / elements)
      fail(tensor.name, "has an impossible extent " + std::to_string(extent) + "; the file is damaged");
    elements *= static_cast<std::size_t>(extent);
    tensor.shape[axes - 1 - axis] = static_cast<std::size_t>(extent);  // the file has the fastest axis first
  }
  const auto type = reader.read<std::uint32_t>("a tensor's type");
  offset = reader.read<std::uint64_t>("a tensor's offset");
  const std::optional<tensor_type> known = ggml_tensor_type(type);
  if (!known)
    throw error(error_code::unsupported, place(tensor.name),
                "has " + describe_ggml_type(type) + ", which act doesn't read; convert the model to " +
                    readable_ggml_types());
  tensor.type = *known;
  if (tensor.columns() % block_elements(*known) != 0)
    fail(tensor.name, "has rows of " + std::to_string(tensor.columns()) + " numbers, which aren't whole " +
                          std::string(name_of(*known)) + " blocks; the file is damaged");
  const std::optional<std::size_t> bytes = storage_bytes(*known, elements);
  if (!bytes) fail(tensor.name, "is larger than the address space; the file is damaged");
  size = *bytes;
  return tensor;
}

void gguf_file::add_split_files(std::uint16_t count) {
  const auto number = get<std::uint16_t>("split.no");
  if (number >= count)
    throw error(error_code::invalid_input, path(),
                "metadata 'split.no' is " + std::to_string(number) + " and 'split.count' " +
                    std::to_string(count) + "; the file is damaged, fetch it again");
  if (number != 0)
    throw error(error_code::invalid_input, path(),
                "is file " + std::to_string(number + 1) + " of a model split into " + std::to_string(count) +
                    "; pass the first one, whose name ends with '" + split_ending(0, count) + "'");
  for (std::uint16_t i = 1; i < count; ++i) {
    const std::optional<std::string> other = split_path(path(), 0, i, count);
    if (!other)
      throw error(error_code::invalid_input, path(),
                  "is the first file of a model split into " + std::to_string(count) +
                      ", and the others can't be found: its name doesn't end with '" +
                      split_ending(0, count) + "'; give the files the names that they had");
    add_split_file(*other, i, count);
  }
  const auto tensors = get<std::uint64_t>("split.tensors.count");
  if (tensors != tensors_.size())
    throw error(error_code::mismatch, path(),
                "the model's " + std::to_string(count) + " files hold " + std::to_string(tensors_.size()) +
                    " tensors, metadata 'split.tensors.count' says " + std::to_string(tensors) +
                    "; they don't belong together, fetch the model again");
}

void gguf_file::add_split_file(const std::string& path, std::uint16_t number, std::uint16_t count) {
  if (std::error_code unknown; !std::filesystem::exists(path, unknown))
    throw error(error_code::io, path,
                "isn't there, and the model that begins with '" + this->path() + "' is split into " +
                    std::to_string(count) + " files; put all of them into one folder");
  gguf_file other(path, alone{});
  const auto refuse = [&](const char* key, std::uint16_t found, std::uint16_t expected) {
    throw error(error_code::mismatch, path,
                "metadata '" + std::string(key) + "' is " + std::to_string(found) + ", not " +
                    std::to_string(expected) + " as for the file of this name behind '" + this->path() +
                    "'; fetch the model again");
  };
  if (const auto own = other.get<std::uint16_t>("split.no"); own != number) refuse("split.no", own, number);
  // llama.cpp doesn't look at this one; its own files all have it, and another one is another model's.
  if (const auto own = other.find<std::uint16_t>("split.count").value_or(count); own != count)
    refuse("split.count", own, count);
  others_.push_back(std::move(other.file_));
  for (tensor_view& tensor : other.tensors_) {
    const auto [at, fresh] = by_name_.emplace(tensor.name, location{tensors_.size(), others_.size()});
    if (!fresh)
      throw error(error_code::mismatch, path + ": tensor '" + io::printable(tensor.name) + "'",
                  "is in '" + file_of(tensor.name) + "' too; fetch the model again");
    tensors_.push_back(std::move(tensor));
  }
}

void gguf_file::read_tensors(io::byte_reader& reader, std::uint64_t count) {
  struct extent {
    std::uint64_t offset;
    std::size_t size, tensor;
  };
  std::vector<extent> extents;
  extents.reserve(static_cast<std::size_t>(count));
  tensors_.reserve(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    extent place_of{0, 0, i};
    tensors_.push_back(read_tensor_entry(reader, place_of.offset, place_of.size));
    extents.push_back(place_of);
    if (!by_name_.emplace(tensors_.back().name, location{i, 0}).second)
      fail(tensors_.back().name, "is there twice; convert the model again");
  }

  const auto alignment = find<std::uint32_t>("general.alignment").value_or(32);
  if (alignment == 0 || (alignment & (alignment - 1)) != 0)
    throw error(error_code::invalid_input, path(),
                "metadata 'general.alignment' is " + std::to_string(alignment) +
                    ", not a power of two; convert the model again");
  const std::size_t padding = (alignment - reader.position() % alignment) % alignment;
  const std::size_t available = reader.remaining() > padding ? reader.remaining() - padding : 0;
  const std::size_t start = file_.bytes().size() - available;
  for (const extent& e : extents) {
    tensor_view& tensor = tensors_[e.tensor];
    if (e.offset % alignment != 0)
      fail(tensor.name, "starts at offset " + std::to_string(e.offset) +
                            ", which isn't a multiple of the alignment " + std::to_string(alignment) +
                            "; the file is damaged");
    if (e.offset > available || e.size > available - e.offset)
      fail(tensor.name, "ends " + std::to_string(e.size) + " bytes after offset " + std::to_string(e.offset) +
                            ", past the file's " + std::to_string(available) +
                            " bytes of tensor data; the file is truncated or damaged, fetch it again");
    tensor.bytes = file_.bytes().subspan(start + static_cast<std::size_t>(e.offset), e.size);
  }
  std::sort(extents.begin(), extents.end(),
            [](const extent& a, const extent& b) { return a.offset < b.offset; });
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].offset - extents[i - 1].offset < extents[i - 1].size)
      fail(tensors_[extents[i].tensor].name, "overlaps tensor '" +
                                                 io::printable(tensors_[extents[i - 1].tensor].name) +
                                                 "'; the file is damaged");
  }
}

}  // namespace act::runtime
