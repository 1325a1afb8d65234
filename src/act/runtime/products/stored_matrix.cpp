#include <act/io/mapped_file.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace act::runtime {

void stored_matrix::add(part next) {
  next.first = rows_;
  rows_ += next.count;
  // Neighbours in the file are one part.
  if (!parts_.empty()) {
    part& last = parts_.back();
    if (last.type == next.type && last.row_bytes == next.row_bytes &&
        last.bytes + last.count * last.row_bytes == next.bytes) {
      last.count += next.count;
      return;
    }
  }
  parts_.push_back(next);
}

void stored_matrix::append(const tensor_view& tensor, std::size_t first, std::size_t count) {
  if (count == 0) return;
  const std::span<const std::byte> bytes = tensor.row_bytes(first, count);
  add({tensor.type, bytes.data(), bytes.size() / count, 0, count});
}

void stored_matrix::append_turned(const tensor_view& tensor, std::size_t first, std::size_t count) {
  if (count == 0) return;
  const bool of_blocks = block_elements(tensor.type) != 1;
  const tensor_type type = of_blocks ? tensor_type::f32 : tensor.type;
  const std::size_t size = block_bytes(type), width = tensor.columns();
  auto turned = std::make_shared<std::vector<std::byte>>(count * columns_ * size);
  std::vector<float> expanded(of_blocks ? width : 0);
  for (std::size_t input = 0; input < columns_; ++input) {
    const std::byte* from = tensor.row_bytes(input, 1).data();
    if (of_blocks) {
      dequantize_rows(tensor, input, expanded);
      from = reinterpret_cast<const std::byte*>(expanded.data());
    }
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(turned->data() + (i * columns_ + input) * size, from + (first + i) * size, size);
  }
  add({type, turned->data(), columns_ * size, 0, count});
  turned_.push_back(std::move(turned));
  if (tensor.mapped) io::mapped_file::let_go(tensor.bytes);  // the copy is what products read
}

std::size_t stored_matrix::bytes() const noexcept {
  std::size_t sum = 0;
  for (const part& each : parts_)
    sum += each.count * each.row_bytes;
  return sum;
}

const stored_matrix::part& stored_matrix::part_of(std::size_t row) const noexcept {
  const auto behind =
      std::upper_bound(parts_.begin(), parts_.end(), row,
                       [](std::size_t number, const part& each) { return number < each.first; });
  return *(behind - 1);
}

stored_row stored_matrix::row(std::size_t number) const noexcept {
  const part& of = part_of(number);
  return {of.type, of.bytes + (number - of.first) * of.row_bytes};
}

void stored_matrix::rows(std::size_t first, std::span<stored_row> out) const noexcept {
  const part* of = &part_of(first);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (first + i == of->first + of->count) ++of;
    out[i] = {of->type, of->bytes + (first + i - of->first) * of->row_bytes};
  }
}

void stored_matrix::copy_row(std::size_t number, std::span<float> out) const noexcept {
  const part& of = part_of(number);
  dequantize(of.type, {of.bytes + (number - of.first) * of.row_bytes, of.row_bytes}, out);
}

float stored_matrix::at(std::size_t row, std::size_t column) const noexcept {
  const stored_row of = this->row(row);
  std::array<float, 256> block;  // no type has larger ones
  const std::size_t numbers = block_elements(of.type);
  dequantize(of.type, {of.bytes + column / numbers * block_bytes(of.type), block_bytes(of.type)},
             std::span(block).first(numbers));
  return block[column % numbers];
}

}  // namespace act::runtime
