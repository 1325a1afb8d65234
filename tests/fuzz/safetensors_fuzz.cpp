// Any bytes as a safetensors file: refused, or every tensor converts.
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/safetensors.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const act_test::one_input input(data, size);
  act_test::refused_or_done([&] {
    const act::runtime::safetensors_file file(input.path());
    for (const std::string_view name : file.names())
      act_test::refused_or_done([&] {
        const act::runtime::tensor_view& tensor = *file.find_tensor(name);
        std::vector<float> values(tensor.elements());
        act::runtime::dequantize_rows(tensor, 0, values);
      });
  });
  return 0;
}
