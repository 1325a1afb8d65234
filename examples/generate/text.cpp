#include "generate/text.hpp"

#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generate/aloud.hpp"
#include "generate/options.hpp"
#include "programs/chat.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

void write_text(const command_line& line, generate_options& options,
                const act::report::provenance_clock& clock, const std::string& asked,
                const act::runtime::loaded_model& loaded,
                const act::runtime::model_calibration& calibration) {
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  std::optional<chat> format;
  std::vector<act::runtime::token_id> prompt;
  if (options.chat || !options.chat_template.empty()) {
    format.emplace(by, options.common.model, options.chat_template);
    if (format->end()) options.generation.end_tokens.push_back(*format->end());
    std::vector<act::runtime::chat_turn> turns = options.opening();
    turns.push_back({act::runtime::chat_role::user, asked});
    prompt = format->prompt(turns);
  } else {
    prompt = by.encode(asked, act::runtime::special_tokens_in_text::are_tokens);
  }

  const timed_generation timed =
      generate_aloud(loaded, prompt, calibration, options.generation, interruption_ends::the_program);
  if (!options.common.quiet) std::cerr << "act-generate: " << speed_of(timed) << '\n';
  const act::runtime::generation& made = timed.made;
  if (options.common.json.empty()) return;

  act::io::json_document document = act::io::json_document::object({{"text", made.text},
                                                                    {"tokens", made.tokens},
                                                                    {"end", name_of(made.end)},
                                                                    {"prompt", asked},
                                                                    {"prompt_tokens", prompt}});
  add_calibrated_model(document, calibration, act::runtime::identity_of(loaded.model));
  if (format) document.set("chat_template", format->name());
  if (options.cache != "all") document.set("cache", act::runtime::text_of(options.generation.cache));
  if (options.generation.stored != act::runtime::cache_type::f32)
    document.set("cache_type", name_of(options.generation.stored));
  document.set("seconds_to_first_token", timed.first);
  if (const double rate = timed.tokens_per_second(); rate > 0) document.set("tokens_per_second", rate);
  write_result(options.common.json, std::move(document), line, clock);
}

}  // namespace act_program
