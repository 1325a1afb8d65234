// Any bytes as one of the files of a folder with a SentencePiece tokenizer, the others being right: refused,
// or a tokenizer that gives back ids it knows. The first byte says which file.
#include <act/runtime/tokenizer/load_folder.hpp>
#include <act/runtime/tokenizer/sentencepiece_model.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "one_input.hpp"
#include "temporary_folder.hpp"

namespace {

std::string small_model() {
  act::runtime::sentencepiece_writer writer;
  writer.piece("<unk>", 0, 2);
  writer.piece("<s>", 0, 3);
  writer.piece("</s>", 0, 3);
  for (const char* piece : {"\xe2\x96\x81", "I", "t", "a", "\xe2\x96\x81I", "It"})
    writer.piece(piece, -1, 1);
  writer.piece("<b>", 0, 4);
  return writer.model(false, true, false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const act_test::temporary_folder folder;
  static const std::string model = small_model();
  constexpr std::array names{"tokenizer.model",       "tokenizer_config.json", "special_tokens_map.json",
                             "added_tokens.json",     "tokenizer.json",        "config.json",
                             "generation_config.json"};
  if (size == 0) return 0;
  const char* const name = names[data[0] % names.size()];
  (void)folder.write("tokenizer.model", model);
  (void)folder.write(name, {reinterpret_cast<const char*>(data) + 1, size - 1});
  act_test::refused_or_done([&] {
    std::vector<std::string> notices;
    const auto tokenizer = act::runtime::load_tokenizer(folder.path(), notices);
    for (const std::string& notice : notices)
      if (notice.find('\n') != std::string::npos) std::abort();
    const auto ids = tokenizer->encode("It's <b>a</b> <x> </s> w\u00f6rlds\n\n",
                                       act::runtime::special_tokens_in_text::are_tokens);
    (void)tokenizer->decode(ids);
    (void)tokenizer->decode(ids, true);
  });
  if (std::string_view(name) != "tokenizer.model") std::filesystem::remove(folder / name);
  return 0;
}
