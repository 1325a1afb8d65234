// A GGUF file as the files of a split model, as llama.cpp's gguf-split makes them: all metadata in the first
// one, split.* in each.
#pragma once

#include <act/runtime/checkpoint/ggml_type.hpp>
#include <act/runtime/checkpoint/gguf.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/gguf_builder.hpp"
#include "temporary_folder.hpp"

namespace act_test {

/// ggml's number of a type.
inline std::uint32_t ggml_number(act::runtime::tensor_type type) {
  std::uint32_t number = 0;
  while (act::runtime::ggml_tensor_type(number) != type)
    ++number;
  return number;
}

/// The content of the `count` files that hold what `whole` holds. Tensors go to them in turns of equal
/// length; the data of file i is aligned to 32 << i bytes, which its own 'general.alignment' says.
inline std::vector<std::string> split_gguf(const std::string& whole, std::uint16_t count) {
  const act::runtime::gguf_file file(whole);
  const std::string content = read_whole_file(whole);
  const auto tensors = file.tensors();
  // The table begins 8 bytes before the first tensor's name; the metadata between the counts and it.
  const auto table = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(tensors[0].name.data()) -
                                              file.bytes().data() - 8);
  std::uint64_t values;
  std::memcpy(&values, content.data() + 16, sizeof values);
  std::vector<std::string> files;
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::size_t first = tensors.size() * i / count, last = tensors.size() * (i + 1u) / count;
    const std::size_t alignment = std::size_t{32} << i;
    byte_writer out;
    out.bytes = "GGUF";
    out.put(std::uint32_t{3}).put<std::uint64_t>(last - first).put<std::uint64_t>((i == 0 ? values : 1) + 3);
    if (i == 0)
      out.bytes += content.substr(24, table - 24);
    else
      out.text("general.alignment").put(gguf_builder::u32).put(static_cast<std::uint32_t>(alignment));
    out.text("split.no").put(gguf_builder::u16).put(i);
    out.text("split.count").put(gguf_builder::u16).put(count);
    out.text("split.tensors.count").put(gguf_builder::i32).put(static_cast<std::int32_t>(tensors.size()));
    std::string data;
    const auto pad = [alignment](std::string& bytes) {
      bytes.append((alignment - bytes.size() % alignment) % alignment, '\0');
    };
    for (const act::runtime::tensor_view& tensor : tensors.subspan(first, last - first)) {
      pad(data);
      out.text(tensor.name).put(static_cast<std::uint32_t>(tensor.shape.size()));
      for (auto extent = tensor.shape.rbegin(); extent != tensor.shape.rend(); ++extent)
        out.put<std::uint64_t>(*extent);
      out.put(ggml_number(tensor.type)).put<std::uint64_t>(data.size());
      data.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    }
    pad(out.bytes);
    files.push_back(out.bytes + data);
  }
  return files;
}

}  // namespace act_test
