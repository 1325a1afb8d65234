#include "generate/logits.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/heads_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generate/options.hpp"
#include "programs/command_line.hpp"
#include "programs/generation_heads.hpp"
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

act::io::json_document numbers(const act::runtime::model& model, const act::runtime::matrix& hidden) {
  act::runtime::matrix logits(1, model.config.vocabulary);
  model.output.all_logits(hidden, logits);
  const std::span<const float> values = std::as_const(logits).row(0);
  if (!std::all_of(values.begin(), values.end(), [](float logit) { return std::isfinite(logit); })) {
    throw act::error(act::error_code::invalid_input, "logits",
                     "aren't finite numbers; the checkpoint overflows float32");
  }
  auto list = act::io::json_document::array();
  for (const float logit : values)
    list.push_back(logit);
  return list;
}

}  // namespace

void write_logits(const command_line& line, const generate_options& options,
                  const act::report::provenance_clock& clock,
                  const std::optional<act::search::heads_file>& heads) {
  const std::vector<std::vector<act::runtime::token_id>> prompts{parse_tokens(options.tokens)};
  const std::string& path = options.common.model;
  const act::runtime::compute_type compute = options.common.compute_type();
  const act::runtime::model model =
      std::filesystem::is_directory(path)
          ? act::runtime::read_model(path, compute)
          : act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path), compute);
  const act::runtime::model_calibration calibration =
      calibration_for(model, options.calibration, options.heads, heads,
                      {.program = line.name(), .force = options.force, .quiet = options.common.quiet});
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const act::runtime::plain_and_calibrated both = act::runtime::run_both(model, packed, calibration);
  const act::io::json_document baseline = numbers(model, both.plain);
  act::io::json_document document = act::io::json_document::object({{"baseline", baseline}});
  if (heads) {
    const bool any = !calibration.heads.empty();
    document.set("calibrated", any ? numbers(model, both.calibrated) : baseline);
  }
  act::io::write_file(options.logits, document.text() + "\n");
  if (options.common.json.empty()) return;
  act::io::json_document summary =
      act::io::json_document::object({{"logits", options.logits}, {"prompt_tokens", prompts.front()}});
  add_calibrated_model(summary, calibration, act::runtime::identity_of(model));
  write_result(options.common.json, std::move(summary), line, clock);
}

}  // namespace act_program
