#include <act/error.hpp>
#include <act/io/byte_reader.hpp>
#include <act/io/json_value.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/safetensors.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

std::optional<tensor_type> stored_type(std::string_view dtype) noexcept {
  if (dtype == "F32") return tensor_type::f32;
  if (dtype == "F16") return tensor_type::f16;
  if (dtype == "BF16") return tensor_type::bf16;
  return std::nullopt;
}

}  // namespace

safetensors_file::safetensors_file(const std::string& path) : file_(path) {
  io::byte_reader reader(file_.bytes(), path);
  const auto length = reader.read<std::uint64_t>("the header's length");
  // The reference implementation's own bound; a real header of 100 MB doesn't exist.
  if (length > 100'000'000)
    reader.fail_at(0, "a header of " + std::to_string(length) +
                          " bytes is impossible; this isn't a safetensors file, or it is damaged");
  const auto header = reader.take(length, "the header");
  data_ = file_.bytes().subspan(reader.position());
  const io::json_tree tree =
      io::parse_json_tree({reinterpret_cast<const char*>(header.data()), header.size()}, path,
                          "the file is damaged, fetch it again", 8);
  read_header(tree.root());
}

const tensor_view* safetensors_file::find_tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return nullptr;
  if (!found->second.unreadable.empty())
    throw error(error_code::unsupported, place(name),
                found->second.unreadable + ", which act doesn't read; convert the model to F32, F16 or BF16");
  return &found->second.view;
}

std::vector<std::string_view> safetensors_file::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, tensor] : tensors_)
    all.push_back(name);
  return all;
}

std::string safetensors_file::place(std::string_view tensor) const {
  return path() + ": tensor '" + io::printable(tensor) + "'";
}

void safetensors_file::fail(std::string_view tensor, std::string_view message) const {
  throw error(error_code::invalid_input, place(tensor), message);
}

void safetensors_file::read_header(io::json_value header) {
  if (!header.is_object())
    throw error(error_code::invalid_input, path() + ": at byte 8",
                "the header isn't a JSON object; the file is damaged");
  for (const auto& [name, fields] : header.members()) {
    if (name == "__metadata__") continue;
    const auto inserted = tensors_.emplace(name, read_entry(name, fields)).first;
    inserted->second.view.name = inserted->first;
  }
  check_extents();
}

std::size_t safetensors_file::whole_number(std::string_view tensor, io::json_value value,
                                           std::string_view what) const {
  const std::optional<std::uint64_t> number = value.count();
  if (!number || *number > static_cast<std::size_t>(-1))
    fail(tensor, "has " + std::string(what) + " that isn't a whole number; the file is damaged");
  return static_cast<std::size_t>(*number);
}

safetensors_file::entry safetensors_file::read_entry(std::string_view name, io::json_value fields) const {
  const auto dtype = fields.find("dtype"), shape = fields.find("shape"),
             offsets = fields.find("data_offsets");
  if (!dtype || dtype->text() == nullptr || !shape || !shape->is_array() || !offsets ||
      !offsets->is_array() || offsets->size() != 2)
    fail(name, "lacks a dtype, a shape or two data_offsets; the file is damaged");
  entry made;
  std::size_t elements = 1;
  for (const io::json_value extent : shape->items()) {
    const std::size_t n = whole_number(name, extent, "an extent");
    if (n != 0 && elements > static_cast<std::size_t>(-1) / n)
      fail(name, "has an impossible extent " + std::to_string(n) + "; the file is damaged");
    elements *= n;
    made.view.shape.push_back(n);
  }
  if (made.view.shape.empty()) made.view.shape.push_back(1);  // a scalar
  made.begin = whole_number(name, (*offsets)[0], "an offset");
  made.end = whole_number(name, (*offsets)[1], "an offset");
  if (made.begin > made.end || made.end > data_.size())
    fail(name, "lies at " + std::to_string(made.begin) + " to " + std::to_string(made.end) + " of " +
                   std::to_string(data_.size()) +
                   " bytes of data; the file is truncated or damaged, fetch it again");
  made.view.bytes = data_.subspan(made.begin, made.end - made.begin);
  made.view.mapped = true;
  const std::optional<tensor_type> type = stored_type(*dtype->text());
  if (!type) {
    made.unreadable = "has type '" + io::printable(*dtype->text()) + "'";
    return made;
  }
  made.view.type = *type;
  if (storage_bytes(*type, elements) != made.end - made.begin)
    fail(name, "has a shape that doesn't fit its " + std::to_string(made.end - made.begin) +
                   " bytes; the file is damaged");
  if (elements == 0) made.unreadable = "has no elements";
  return made;
}

void safetensors_file::check_extents() const {
  std::vector<std::pair<const entry*, std::string_view>> ordered;
  for (const auto& [name, tensor] : tensors_)
    ordered.emplace_back(&tensor, name);
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
  });
  std::size_t end = 0;
  for (const auto& [tensor, name] : ordered) {
    if (tensor->begin < end) fail(name, "overlaps another tensor; the file is damaged");
    if (tensor->begin > end)
      fail(name, "begins behind a gap, which the format doesn't allow; the file is damaged");
    end = tensor->end;
  }
  if (end != data_.size())
    throw error(error_code::invalid_input, path(),
                "has " + std::to_string(data_.size() - end) +
                    " bytes that belong to no tensor; the file is damaged, fetch it again");
}

}  // namespace act::runtime
