// Any bytes as the two files of a split GGUF model, the first two bytes say how long the first one is:
// refused, or every tensor of both converts.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/quantization.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "one_input.hpp"
#include "temporary_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const act_test::temporary_folder folder;
  if (size < 2) return 0;
  const std::size_t first = std::min<std::size_t>(size - 2, data[0] + 256u * data[1]);
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string path = folder.write("m-00001-of-00002.gguf", rest.substr(0, first));
  (void)folder.write("m-00002-of-00002.gguf", rest.substr(first));
  act_test::refused_or_done([&] {
    const act::runtime::gguf_file file(path);
    for (const act::runtime::tensor_view& tensor : file.tensors()) {
      std::vector<float> values(tensor.elements());
      act::runtime::dequantize_rows(tensor, 0, values);
      if (file.find_tensor(tensor.name) != &tensor || !file.file_of(tensor.name).ends_with("-of-00002.gguf"))
        std::abort();
    }
  });
  return 0;
}
