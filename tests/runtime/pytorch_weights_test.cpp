// A model folder with PyTorch's own files computes what its safetensors twin does, which agrees with
// transformers (forward_test.cpp).
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "runtime/parity_golden.hpp"
#include "temporary_folder.hpp"

namespace {

#if defined(ACT_HAS_LIBZIP)
std::vector<float> logits_of(const act::runtime::model& model, const act_test::parity_golden& golden) {
  std::vector<std::vector<act::runtime::token_id>> prompts;
  for (const auto& prompt : golden.prompts)
    prompts.push_back(prompt.tokens);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const act::runtime::plain_and_calibrated both =
      act::runtime::run_both(model, packed, golden.cases.begin()->second);
  std::vector<float> all;
  for (const auto* hidden : {&both.plain, &both.calibrated})
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      act::runtime::matrix logits(1, model.config.vocabulary);
      model.output.all_logits(hidden->row_block(i, 1), logits);
      all.insert(all.end(), logits.data(), logits.data() + model.config.vocabulary);
    }
  return all;
}
#endif

}  // namespace

#if defined(ACT_HAS_LIBZIP)
TEST_CASE("PyTorch files give the logits of their safetensors twins, bit for bit: one file, and several") {
  namespace fs = std::filesystem;
  // The last has GPT-2's masks among its weights, and weights that aren't contiguous.
  for (const auto& [files, beside] : std::initializer_list<std::pair<const char*, const char*>>{
           {"tiny-llama-old-config", "tiny-llama-old-config"},
           {"tiny-llama-new-config", "tiny-llama-new-config"},
           {"gpt2-old-buffers", "families/gpt2/old-buffers"}}) {
    const std::string name = files;
    CAPTURE(name);
    const fs::path twin = act_test::parity_folder / beside;
    const act_test::temporary_folder folder;
    fs::copy(twin / "config.json", folder / "config.json");
    for (const fs::path& file : fs::directory_iterator(fs::path(ACT_TEST_GOLDEN_DIR) / "pytorch" / name))
      fs::copy(file, folder / file.filename().string());
    const auto golden = act_test::read_parity_golden(twin / "golden.json");
    const std::vector<float> expected = logits_of(act::runtime::read_model(twin.string()), golden);
    const std::vector<float> found = logits_of(act::runtime::read_model(folder.path().string()), golden);
    REQUIRE(found.size() == expected.size());
    REQUIRE(expected.size() > 50);
    CHECK(std::memcmp(found.data(), expected.data(), expected.size() * sizeof(float)) == 0);
  }
}
#endif
