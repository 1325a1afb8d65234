// Any bytes as a GGUF file: refused, or every tensor converts and the tokenizer, if there is one, works.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/tokenizer/load.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const act_test::one_input input(data, size);
  act_test::refused_or_done([&] {
    const act::runtime::gguf_file file(input.path());
    for (const act::runtime::tensor_view& tensor : file.tensors()) {
      std::vector<float> values(tensor.elements());
      act::runtime::dequantize_rows(tensor, 0, values);
    }
    act_test::refused_or_done([&] { (void)file.find<std::uint32_t>("general.alignment"); });
    const auto tokenizer = act::runtime::load_tokenizer(file);
    (void)tokenizer->decode(tokenizer->encode("It's 12 <|im_end|> w\u00f6rlds\n\n\u4e2d"));
  });
  return 0;
}
