// What prompts have in common is run once, and changes no bit of what comes out.
#include <doctest/doctest.h>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/shared_prompts.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "runtime/parity_golden.hpp"

using act::runtime::matrix;
using act::runtime::shared_beginning;
using act::runtime::shared_prompts;
using act::runtime::token_id;

namespace {

// Prompts with `common` tokens in common, and own ones behind them.
std::vector<std::vector<token_id>> prompts_of(std::size_t common, std::span<const std::size_t> own,
                                              std::size_t vocabulary) {
  std::mt19937 draw(static_cast<std::uint32_t>(common));
  const auto token = [&] { return static_cast<token_id>(draw() % vocabulary); };
  std::vector<token_id> beginning(common);
  std::generate(beginning.begin(), beginning.end(), token);
  std::vector<std::vector<token_id>> prompts;
  for (const std::size_t count : own) {
    prompts.push_back(beginning);
    // Different from the first one's there, so that no more than this is shared.
    prompts.back().push_back(static_cast<token_id>(prompts.size()));
    for (std::size_t i = 1; i < count; ++i)
      prompts.back().push_back(token());
  }
  return prompts;
}

bool same_bits(const matrix& a, const matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::equal(a.data(), a.data() + a.size(), b.data());
}

}  // namespace

TEST_CASE("what prompts have in common is found, and rows of each are left") {
  act::runtime::model_config config;
  config.vocabulary = config.context = 100;
  const auto shared_of = [&](std::size_t common, const std::vector<std::size_t>& own) {
    const auto packed = pack(config, prompts_of(common, own, config.vocabulary));
    std::vector<std::size_t> found;
    for (const shared_beginning& each : common_beginning(packed))
      found.push_back(each.tokens);
    return found;
  };
  using counts = std::vector<std::size_t>;
  CHECK(shared_of(40, {}).empty());
  CHECK(shared_of(40, {9}) == counts{0});
  CHECK(shared_of(40, {9, 9, 9}) == counts{0, 40, 40});
  CHECK(shared_of(1, {9, 9}) == counts{0, 1});
  CHECK(shared_of(32, {7, 9}) == counts{0, 32});
  CHECK(shared_of(32, {6, 9}) == counts{0, 31});  // seven rows of every prompt are its own
  CHECK(shared_of(0, {6, 30}) == counts{0, 0});
  CHECK(shared_of(0, {30, 30}) == counts{0, 0});

  const auto whole = pack(config, prompts_of(17, counts{8, 9}, config.vocabulary));
  const shared_prompts shared(whole, common_beginning(whole));
  REQUIRE(shared.packed().rows() == whole.rows() - 17);
  REQUIRE(shared.row_of().size() == whole.rows());
  for (std::size_t row = 0; row < whole.rows(); ++row) {
    CHECK(shared.packed().tokens[shared.row_of()[row]] == whole.tokens[row]);
    CHECK(shared.packed().positions[shared.row_of()[row]] == whole.positions[row]);
  }
}

TEST_CASE("a plain pass over prompts that begin alike is the same to the bit as over each whole") {
  std::size_t compared = 0;
  for (const auto& family : std::filesystem::directory_iterator(act_test::parity_folder / "families")) {
    if (!family.is_directory()) continue;
    for (const auto& entry : std::filesystem::directory_iterator(family)) {
      if (!std::filesystem::exists(entry.path() / "config.json")) continue;
      CAPTURE(entry.path().string());
      const act::runtime::model model = act::runtime::read_model(entry.path());
      for (const std::size_t common : {17UL, 40UL, 70UL}) {
        const std::size_t own[] = {9, 7, 8, 23, 7};
        if (common + 23 > model.config.context) continue;
        CAPTURE(common);
        const auto packed = pack(model.config, prompts_of(common, own, model.config.vocabulary));
        REQUIRE(common_beginning(packed)[1].tokens == common);
        const act::runtime::rotary_tables rotary(model.config.rotary, packed.positions);
        matrix hidden = embed(model, packed);
        run_layers(model, 0, model.config.layers, packed, rotary, {}, hidden);
        CHECK(same_bits(run_each(model, packed, {}).plain, final_hidden(model, hidden)));
        // Behind the first calibrated layer rows are whole prompts' again.
        act::runtime::model_calibration last;
        last.heads.insert({model.config.layers - 1, 0});
        last.options.sinks.alpha = 1.01;
        const auto both = run_both(model, packed, last);
        matrix calibrated = embed(model, packed);
        run_layers(model, 0, model.config.layers, packed, rotary, last, calibrated);
        CHECK(same_bits(both.calibrated, final_hidden(model, calibrated)));
        ++compared;
      }
      break;  // the others differ in settings
    }
  }
  CHECK(compared > 20);
}
