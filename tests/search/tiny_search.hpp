// The tiny golden checkpoint and its prompts as a head search sees them.
#pragma once

#include <doctest/doctest.h>
#include <act/head_set.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/plan.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
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
  act::runtime::model model;
  act::search::search_plan plan;
  /// Ascending sink positions of (sample, layer, head) as the PyTorch reference found them.
  std::map<std::pair<std::size_t, act::layer_head>, std::vector<std::size_t>> golden_sinks;
};

/// Samples are the golden's prompts longer than one token; three tokens stand for label words.
inline tiny_search make_tiny_search() {
  const std::filesystem::path folder = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity";
  std::ifstream in(folder / "tiny-llama-mixed.json");
  const nlohmann::json golden = nlohmann::json::parse(in);
  tiny_search made{.model = act::runtime::read_model(
                       std::make_shared<const act::runtime::gguf_file>(folder / "tiny-llama-mixed.gguf")),
                   .plan = {},
                   .golden_sinks = {}};
  for (const auto& prompt : golden.at("prompts")) {
    const auto tokens = prompt.at("tokens").get<std::vector<act::runtime::token_id>>();
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

/// The same search by the likelihood of options: each sample gets two to four options of one to five tokens,
/// which begin and end differently.
inline tiny_search with_options(tiny_search made) {
  const std::size_t vocabulary = made.model.config.vocabulary;
  for (act::tasks::prepared_sample& sample : made.plan.samples) {
    sample.words.clear();
    const std::size_t options = 2 + sample.index % 3;
    const auto first = static_cast<std::size_t>(sample.prompt[0]);
    for (std::size_t option = 0; option < options; ++option) {
      act::runtime::scored_text text{.tokens = sample.prompt, .first_scored = sample.prompt.size()};
      for (std::size_t at = 0; at <= (sample.index + 2 * option) % 5; ++at)
        text.tokens.push_back(
            static_cast<act::runtime::token_id>((first + 31 * option + 17 * at) % vocabulary));
      sample.options.push_back(text);
      sample.option_bytes.push_back(3 + option);
    }
    sample.label = sample.index % options;
  }
  made.plan.sources.front().scoring = "likelihood";
  return made;
}

/// The same search by the greedy token; one answer of each sample is said by two tokens.
inline tiny_search with_greedy_tokens(tiny_search made) {
  for (act::tasks::prepared_sample& sample : made.plan.samples) {
    for (const act::runtime::token_id word : sample.words)
      sample.greedy_tokens.push_back({word});
    sample.greedy_tokens.front().push_back(sample.words.front() + 1);
    sample.words.clear();
  }
  made.plan.sources.front().scoring = "greedy";
  return made;
}

/// The same search with redistribution::subset: every text has its own few positions, some of them sinks'.
inline tiny_search with_subsets(tiny_search made) {
  const auto chosen = [](std::size_t tokens, std::size_t first) {
    std::vector<std::size_t> positions;
    for (std::size_t at = std::min(first, tokens - 1); at < tokens; at += 2 + at % 3)
      positions.push_back(at);
    return positions;
  };
  for (act::tasks::prepared_sample& sample : made.plan.samples) {
    if (sample.options.empty()) sample.subset = chosen(sample.prompt.size(), sample.index % 7);
    for (const act::runtime::scored_text& option : sample.options)
      sample.option_subsets.push_back(
          chosen(option.tokens.size(), (sample.index + sample.option_subsets.size()) % 7));
  }
  made.plan.options.redistribute = act::redistribution::subset;
  made.plan.subset = act::tasks::prompt_part::question;
  return made;
}

/// One of the tiny Hugging Face folders (tests/golden/parity/make_tiny_folders.py) with its golden's prompts.
inline tiny_search make_tiny_folder_search(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity" / name;
  std::ifstream in(folder / "golden.json");
  const nlohmann::json golden = nlohmann::json::parse(in);
  tiny_search made{.model = act::runtime::read_model(folder), .plan = {}, .golden_sinks = {}};
  for (const auto& prompt : golden.at("prompts")) {
    const std::size_t sample = made.plan.samples.size();
    made.plan.samples.push_back(
        {.index = sample, .label = sample % 3, .prompt = prompt.at("tokens"), .words = {7, 50, 61}});
  }
  made.plan.range = {0, made.model.config.layers - 1};
  made.plan.fingerprint = name;
  made.plan.sources.push_back({.task = "none", .file = "none", .sha256 = "none", .indices = {}});
  return made;
}

/// The largest difference of two scores of a sample.
inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

}  // namespace act_test
