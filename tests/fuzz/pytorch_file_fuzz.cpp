// Any bytes as a PyTorch file: refused, or every tensor converts. Few get past the zip's checksums: what the
// pickle may hold is pickle_fuzz.cpp's.
#include <act/runtime/checkpoint/pytorch_file.hpp>
#include <act/runtime/checkpoint/quantization.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const act_test::one_input input(data, size);
  act_test::refused_or_done([&] {
    const act::runtime::pytorch_file file(input.path());
    for (const std::string_view name : file.names())
      act_test::refused_or_done([&] {
        const act::runtime::tensor_view& tensor = *file.find_tensor(name);
        std::vector<float> values(tensor.elements());
        act::runtime::dequantize_rows(tensor, 0, values);
      });
  });
  return 0;
}
