// Any bytes as a tokenizer.json: refused, or a tokenizer that gives back ids it knows.
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>

#include <cstddef>
#include <cstdint>

#include "one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const act_test::one_input input(data, size);
  act_test::refused_or_done([&] {
    const act::runtime::pipeline_tokenizer tokenizer(act::runtime::read_tokenizer_json(input.path()));
    for (const auto written :
         {act::runtime::special_tokens_in_text::are_text, act::runtime::special_tokens_in_text::are_tokens}) {
      (void)tokenizer.decode(
          tokenizer.encode("It's 12 <|im_end|>   w\u00f6rlds\n\n\u4e2d--a <s>b  <pad> e\u0301", written));
    }
  });
  return 0;
}
