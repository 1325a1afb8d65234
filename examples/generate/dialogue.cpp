#include "generate/dialogue.hpp"

#include <unistd.h>

#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>

#include <cstddef>
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

namespace {

// What is typed next, lines that end with a backslash joined; nothing at the end of input.
std::optional<std::string> next_message(bool terminal) {
  std::string message;
  const char* mark = "> ";
  for (std::string line;; mark = "... ") {
    if (terminal) std::cerr << mark << std::flush;
    if (!std::getline(std::cin, line)) break;
    if (!line.ends_with('\\')) return message + line;
    line.back() = '\n';
    message += line;
  }
  stop_if_interrupted();
  if (terminal) std::cerr << '\n';
  if (message.empty()) return std::nullopt;
  return message;
}

act::io::json_document turns_json(const std::vector<act::runtime::chat_turn>& turns) {
  auto list = act::io::json_document::array();
  for (const act::runtime::chat_turn& each : turns) {
    const char* const role = each.role == act::runtime::chat_role::system ? "system"
                             : each.role == act::runtime::chat_role::user ? "user"
                                                                          : "assistant";
    list.push_back(act::io::json_document::object({{"role", role}, {"text", each.text}}));
  }
  return list;
}

}  // namespace

void hold_conversation(const command_line& line, generate_options& options,
                       const act::report::provenance_clock& clock, const act::runtime::loaded_model& loaded,
                       const act::runtime::model_calibration& calibration) {
  const chat format(*loaded.tokenizer, options.common.model, options.chat_template);
  if (format.end()) options.generation.end_tokens.push_back(*format.end());
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  const bool talks = terminal && !options.common.quiet;
  if (talks) {
    std::cerr << "A line is a message; one that ends with \\ goes on in the next. /new begins anew, /exit or "
                 "Ctrl-D ends; Ctrl-C ends an answer.\n";
  }
  std::vector<act::runtime::chat_turn> turns = options.opening();
  std::size_t made = 0;
  while (const std::optional<std::string> message = next_message(terminal)) {
    if (message->empty()) continue;
    if (*message == "/exit") break;
    if (*message == "/new") {
      turns = options.opening();
      continue;
    }
    turns.push_back({act::runtime::chat_role::user, *message});
    const std::vector<act::runtime::token_id> prompt = format.prompt(turns);
    if (!options.generation.cache.evicts() && prompt.size() >= loaded.model.config.context) {
      const std::string full = "fills the model's context of " + std::to_string(loaded.model.config.context) +
                               " tokens; begin anew with /new, or use --cache window:N+sinks:S";
      if (!terminal) throw act::error(act::error_code::invalid_input, "the conversation", full);
      std::cerr << "the conversation " << full << '\n';
      turns.pop_back();
      continue;
    }
    const timed_generation answer =
        generate_aloud(loaded, prompt, calibration, options.generation,
                       terminal ? interruption_ends::the_text : interruption_ends::the_program);
    if (answer.stopped) listen_for_interruption();
    if (talks && !answer.stopped) std::cerr << '(' << speed_of(answer) << ")\n";
    made += answer.made.tokens.size();
    turns.push_back(
        {act::runtime::chat_role::assistant, std::string(act::runtime::trimmed(answer.made.text))});
  }
  if (options.common.json.empty()) return;
  act::io::json_document document = act::io::json_document::object(
      {{"turns", turns_json(turns)}, {"tokens", made}, {"chat_template", format.name()}});
  add_calibrated_model(document, calibration, act::runtime::identity_of(loaded.model));
  if (options.cache != "all") document.set("cache", act::runtime::text_of(options.generation.cache));
  if (options.generation.stored != act::runtime::cache_type::f32)
    document.set("cache_type", name_of(options.generation.stored));
  write_result(options.common.json, std::move(document), line, clock);
}

}  // namespace act_program
