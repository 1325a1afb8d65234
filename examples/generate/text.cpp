#include "generate/text.hpp"

#include <act/io/json_document.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>

#include <chrono>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/chat.hpp"
#include "generate/options.hpp"
#include "programs/interruption.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

struct timed_generation {
  act::runtime::generation made;
  double first = 0;     ///< seconds to the first token
  double decoding = 0;  ///< seconds after that
};

// The text goes to standard output while it is made.
timed_generation generate_aloud(const act::runtime::loaded_model& loaded,
                                const std::vector<act::runtime::token_id>& prompt,
                                const act::runtime::model_calibration& calibration,
                                const act::runtime::generation_options& options) {
  using seconds = std::chrono::duration<double>;
  const auto start = std::chrono::steady_clock::now();
  timed_generation timed;
  try {
    timed.made = act::runtime::generate(
        loaded.model, *loaded.tokenizer, prompt, calibration, options, [&](std::string_view piece) {
          if (timed.first == 0) timed.first = seconds(std::chrono::steady_clock::now() - start).count();
          std::cout << piece << std::flush;
          stop_if_interrupted();
        });
  } catch (const interrupted&) {
    std::cout << std::endl;
    throw;
  }
  std::cout << std::endl;
  timed.decoding = seconds(std::chrono::steady_clock::now() - start).count() - timed.first;
  return timed;
}

}  // namespace

void write_text(const command_line& line, generate_options& options,
                const act::report::provenance_clock& clock, const std::string& asked,
                const act::runtime::loaded_model& loaded,
                const act::runtime::model_calibration& calibration) {
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::runtime::chat_template* format = nullptr;
  std::string text = asked;
  if (options.chat || !options.chat_template.empty()) {
    format = &begin_chat(by, options);
    std::vector<act::runtime::chat_turn> turns = opening(options);
    turns.push_back({act::runtime::chat_role::user, asked});
    text = act::runtime::render(*format, turns);
  }
  const std::vector<act::runtime::token_id> prompt = by.encode(text, format == nullptr);

  const timed_generation timed = generate_aloud(loaded, prompt, calibration, options.generation);
  const act::runtime::generation& made = timed.made;
  if (options.common.json.empty()) return;

  act::io::json_document document = act::io::json_document::object({{"text", made.text},
                                                                    {"tokens", made.tokens},
                                                                    {"end", name_of(made.end)},
                                                                    {"prompt", asked},
                                                                    {"prompt_tokens", prompt}});
  add_calibrated_model(document, calibration, act::runtime::identity_of(loaded.model));
  if (format != nullptr) document.set("chat_template", format->name);
  document.set("seconds_to_first_token", timed.first);
  if (made.tokens.size() > 1 && timed.decoding > 0) {
    document.set("tokens_per_second", static_cast<double>(made.tokens.size() - 1) / timed.decoding);
  }
  write_result(options.common.json, std::move(document), line, clock);
}

}  // namespace act_program
