#include "generate/logits.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_text.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/heads_file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "generate/calibration.hpp"
#include "generate/options.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

std::vector<act::runtime::token_id> parse_tokens(const std::string& text) {
  std::vector<act::runtime::token_id> tokens;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" ,\t\r\n", at)) != std::string::npos) {
    const std::size_t end = std::min(text.find_first_of(" ,\t\r\n", at), text.size());
    const std::string one = text.substr(at, end - at);
    if (one.size() > 9 || one.find_first_not_of("0123456789") != std::string::npos) {
      throw act::error(
          act::error_code::invalid_input, "--tokens",
          "'" + act::io::printable(one) + "' isn't a token id; give whole numbers with spaces between");
    }
    tokens.push_back(static_cast<act::runtime::token_id>(std::stol(one)));
    at = end;
  }
  if (tokens.empty()) throw act::error(act::error_code::invalid_input, "--tokens", "holds no ids; give one");
  return tokens;
}

nlohmann::ordered_json numbers(const act::runtime::model& model, const act::runtime::matrix& hidden) {
  act::runtime::matrix logits(1, act::runtime::index(model.config.vocabulary));
  model.output.all_logits(hidden, logits);
  if (!logits.array().isFinite().all()) {
    throw act::error(act::error_code::invalid_input, "logits",
                     "aren't finite numbers; the checkpoint overflows float32");
  }
  auto list = nlohmann::ordered_json::array();
  for (Eigen::Index i = 0; i < logits.cols(); ++i)
    list.push_back(logits(0, i));
  return list;
}

}  // namespace

void write_logits(const command_line& line, const generate_options& options,
                  const act::report::provenance_clock& clock,
                  const std::optional<act::search::heads_file>& heads) {
  const std::vector<std::vector<act::runtime::token_id>> prompts{parse_tokens(options.tokens)};
  const std::filesystem::path path = options.common.model;
  const act::runtime::model model =
      std::filesystem::is_directory(path)
          ? act::runtime::read_model(path)
          : act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path));
  const act::runtime::model_calibration calibration = calibration_for(model, options, heads);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const act::runtime::plain_and_calibrated both = act::runtime::run_both(model, packed, calibration);
  nlohmann::ordered_json document{{"baseline", numbers(model, both.plain)}};
  if (heads) {
    const bool any = !calibration.heads.empty();
    document["calibrated"] = any ? numbers(model, both.calibrated) : document["baseline"];
  }
  act::io::write_file(options.logits, act::io::compact_json(document) + "\n");
  if (options.common.json.empty()) return;
  nlohmann::ordered_json summary{{"logits", options.logits}, {"prompt_tokens", prompts.front()}};
  add_calibrated_model(summary, calibration, act::runtime::identity_of(model));
  write_result(options.common.json, std::move(summary), line, clock);
}

}  // namespace act_program
