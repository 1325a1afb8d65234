// Any bytes as blocks of a storage type, the first byte says which: together they convert to what each
// converts to by itself, at another alignment; nothing is read or written beside them.
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "one_input.hpp"  // the mapping that every fuzzer is linked with

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace act::runtime;
  if (size == 0) return 0;
  constexpr std::size_t types = static_cast<std::size_t>(tensor_type::iq4_xs) + 1;
  const auto type = static_cast<tensor_type>(data[0] % types);
  const std::size_t count = (size - 1) / block_bytes(type);
  const std::size_t bytes = count * block_bytes(type);
  // Vectors of exactly these sizes: AddressSanitizer sees one byte beyond them.
  const std::vector<std::uint8_t> blocks(data + 1, data + 1 + bytes);
  std::vector<float> together(count * block_elements(type));
  if (storage_bytes(type, together.size()) != bytes) std::abort();
  dequantize(type, std::as_bytes(std::span(blocks)), together);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t> moved(block_bytes(type) + 1);
    std::memcpy(moved.data() + 1, blocks.data() + i * block_bytes(type), block_bytes(type));
    std::vector<float> alone(block_elements(type));
    dequantize(type, std::as_bytes(std::span(moved)).subspan(1), alone);
    if (std::memcmp(alone.data(), together.data() + i * alone.size(), alone.size() * sizeof(float)) != 0)
      std::abort();
  }
  return 0;
}
