// Every architecture and each of its switches, as a Hugging Face folder and as a GGUF file, against
// transformers in float32 with an independent PyTorch ACT: prompts packed into one batch, and decoding token
// by token with the cache.
//
// tests/golden/parity/make_tiny_families.py makes the checkpoints and the lists included below, a test for
// each line. With ACT_PARITY_TABLE set to a file's name, each appends "architecture | switch | format |
// largest difference".
#include <doctest/doctest.h>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/decoder.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "message_of.hpp"
#include "runtime/parity_golden.hpp"

namespace {

const std::filesystem::path families = act_test::parity_folder / "families";

// Largest difference that a logit may have, as a part of the largest logit.
constexpr double tolerance = 2e-5;

act::runtime::model read(const std::filesystem::path& folder, const std::string& format) {
  if (format == "folder") return act::runtime::read_model(folder.string());
  return act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(folder / "model.gguf"));
}

// The largest difference as a part of the largest logit. `kept`: the ids that `expected` is of; empty: all.
double difference(std::span<const float> logits, std::span<const act::runtime::token_id> kept,
                  std::span<const double> expected, double largest) {
  REQUIRE(expected.size() == (kept.empty() ? logits.size() : kept.size()));
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::size_t token = kept.empty() ? i : static_cast<std::size_t>(kept[i]);
    const double distance = std::abs(static_cast<double>(logits[token]) - expected[i]);
    if (!(distance <= worst)) worst = distance;  // a NaN counts
  }
  return worst / largest;
}

// Takes out texts that act refuses although transformers runs them: positions scaled by the text's length.
void expect_refusals(const act::runtime::model& model, act_test::parity_golden& golden) {
  const act::runtime::model_config& config = model.config;
  std::erase_if(golden.prompts, [&](const auto& prompt) {
    if (config.context_ends_by.empty() || prompt.tokens.size() <= config.context) return false;
    const std::vector<std::vector<act::runtime::token_id>> alone{prompt.tokens};
    const std::string message = act_test::message_of([&] { (void)act::runtime::pack(config, alone); });
    CHECK(act_test::contains(message, config.context_ends_by));
    return true;
  });
  REQUIRE_FALSE(golden.prompts.empty());
  std::erase_if(golden.decoding, [&](const auto& each) {
    return !config.context_ends_by.empty() && each.tokens.size() + each.appended.size() > config.context;
  });
}

double of_prompts(const act::runtime::model& model, const act_test::parity_golden& golden) {
  std::vector<std::vector<act::runtime::token_id>> prompts;
  for (const auto& prompt : golden.prompts)
    prompts.push_back(prompt.tokens);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  act::runtime::matrix logits(1, model.config.vocabulary);
  double worst = 0;
  const auto compare = [&](const act::runtime::matrix& hidden, std::size_t row,
                           std::span<const double> expected, double largest) {
    model.output.all_logits(hidden.row_block(row, 1), logits);
    const double found = difference(std::as_const(logits).row(0), {}, expected, largest);
    CHECK(found < tolerance);
    worst = std::max(worst, found);
  };
  for (const auto& [called, calibration] : golden.cases) {
    const auto& name = called;
    CAPTURE(name);
    const act::runtime::plain_and_calibrated both = act::runtime::run_both(model, packed, calibration);
    for (std::size_t i = 0; i < golden.prompts.size(); ++i) {
      const act_test::parity_prompt& prompt = golden.prompts[i];
      CAPTURE(prompt.tokens.size());
      compare(both.plain, i, prompt.plain, prompt.plain_largest);
      const auto expected = std::find_if(prompt.cases.begin(), prompt.cases.end(),
                                         [&name = name](const auto& each) { return each.name == name; });
      REQUIRE(expected != prompt.cases.end());
      compare(both.calibrated, i, expected->logits, expected->largest);
    }
  }
  return worst;
}

double of_decoding(const act::runtime::model& model, const act_test::parity_golden& golden) {
  double worst = 0;
  for (const act_test::parity_decoding& each : golden.decoding) {
    CAPTURE(each.tokens.size());
    for (const bool calibrated : {false, true}) {
      CAPTURE(calibrated);
      act::runtime::decoder decoder(
          model, calibrated ? golden.cases.at(each.name) : act::runtime::model_calibration{});
      const auto& steps = calibrated ? each.calibrated : each.plain;
      REQUIRE(steps.size() == each.appended.size() + 1);
      for (std::size_t step = 0; step < steps.size(); ++step) {
        CAPTURE(step);
        const std::span<const float> logits =
            step == 0 ? decoder.start(each.tokens) : decoder.append(each.appended[step - 1]);
        const double found =
            difference(logits, golden.kept_while_decoding, steps[step].logits, steps[step].largest);
        CHECK(found < tolerance);
        worst = std::max(worst, found);
      }
    }
  }
  return worst;
}

void check(const std::string& architecture, const std::string& name, const std::string& format) {
  const std::filesystem::path folder = families / architecture / name;
  act_test::parity_golden golden = act_test::read_parity_golden(folder / "golden.json");
  const act::runtime::model model = read(folder, format);
  expect_refusals(model, golden);
  const double worst = std::max(of_prompts(model, golden), of_decoding(model, golden));
  MESSAGE(architecture << " x " << name << " x " << format << ": largest relative difference " << worst);
  if (const char* table = std::getenv("ACT_PARITY_TABLE"); table != nullptr) {
    std::ofstream out(table, std::ios::app);
    out << "| " << architecture << " | " << name << " | " << format << " | " << worst << " |\n";
  }
}

}  // namespace

#define PARITY(architecture, name, format)                 \
  TEST_CASE("parity: " architecture " " name " " format) { \
    check(architecture, name, format);                     \
  }
#include "golden/parity/families/list.inc"
#undef PARITY

#define PARITY(architecture, name, format) std::string(architecture) + "/" + (name) + " " + (format),

TEST_CASE("every checkpoint under families/ has its test") {
  const std::vector<std::string> listed{
#include "golden/parity/families/list.inc"
  };
  std::set<std::string> found;
  for (const auto& architecture : std::filesystem::directory_iterator(families)) {
    if (!architecture.is_directory()) continue;
    for (const auto& folder : std::filesystem::directory_iterator(architecture)) {
      const std::string name =
          architecture.path().filename().string() + "/" + folder.path().filename().string();
      found.insert(name + " folder");
      if (std::filesystem::exists(folder.path() / "model.gguf")) found.insert(name + " gguf");
    }
  }
  CHECK(found == std::set<std::string>(listed.begin(), listed.end()));
}
