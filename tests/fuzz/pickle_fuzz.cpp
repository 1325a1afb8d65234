// Any bytes as the pickle of a PyTorch file whose zip is whole: refused, or every tensor converts. The
// storages have the sizes of tests/golden/pytorch/state.bin, whose pickle is a seed.
#include <act/runtime/checkpoint/pytorch_file.hpp>
#include <act/runtime/checkpoint/quantization.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/zip_builder.hpp"
#include "one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const act_test::zip_builder storages = [] {
    act_test::zip_builder zip;
    zip.entry("m/version", "3\n");
    constexpr std::array<std::size_t, 17> sizes{96, 12, 12, 24, 12, 12, 4, 12, 0, 4, 24, 24, 12, 6, 3, 3, 9};
    for (std::size_t i = 0; i < sizes.size(); ++i)
      zip.entry("m/data/" + std::to_string(i), std::string(sizes[i], '\x3f'));
    return zip;
  }();
  const std::string whole = act_test::zip_builder(storages)
                                .entry("m/data.pkl", {reinterpret_cast<const char*>(data), size})
                                .build();
  const act_test::one_input input(reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size());
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
