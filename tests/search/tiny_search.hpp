// The tiny golden checkpoint and its prompts as a head search sees them.
#pragma once

#include <act/runtime/load_model.hpp>
#include <act/search/plan.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace act_test {

struct tiny_search {
  act::model model;
  act::search_plan plan;
  /// Ascending sink positions of (sample, layer, head) as the PyTorch reference found them.
  std::map<std::pair<std::size_t, act::layer_head>, std::vector<std::size_t>> golden_sinks;
};

/// Samples are the golden's prompts longer than one token; three tokens stand for label words.
inline tiny_search make_tiny_search() {
  const std::filesystem::path folder = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity";
  std::ifstream in(folder / "tiny-llama-mixed.json");
  const nlohmann::json golden = nlohmann::json::parse(in);
  tiny_search made{
      .model = act::read_model(std::make_shared<const act::gguf_file>(folder / "tiny-llama-mixed.gguf")),
      .plan = {},
      .golden_sinks = {}};
  for (const auto& prompt : golden.at("prompts")) {
    const auto tokens = prompt.at("tokens").get<std::vector<act::token_id>>();
    const std::size_t sample = made.plan.samples.size();
    for (const auto& found : prompt.at("plain").at("sinks")) {
      made.golden_sinks[{sample, {found.at(0), found.at(1)}}] = found.at(2).get<std::vector<std::size_t>>();
    }
    made.plan.samples.push_back(
        {.index = sample, .label = sample % 3, .prompt = tokens, .words = {7, 50, 101}});
  }
  made.plan.range = {0, made.model.config.layers - 1};
  made.plan.fingerprint = "tiny";
  made.plan.sources.push_back({.task = "none", .file = "none", .sha256 = "none", .indices = {}});
  return made;
}

}  // namespace act_test
