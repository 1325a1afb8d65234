// act-llama: text from llama.cpp, plain or with heads calibrated by the hook.
#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/text_file.hpp>
#include <act/parallel.hpp>

#include <cstddef>
#include <iostream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "llama_cpp/chosen_heads.hpp"
#include "llama_cpp/hook/attention_hook.hpp"
#include "llama_cpp/session.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace {

using namespace act_program;

struct options_of_llama {
  common_options common;  // its --json and --quiet aren't declared
  calibration_flags calibration;
  std::string model, prompt, prompt_file, tokens, heads, logits, cache = "f16", flash_attention = "off";
  std::size_t new_tokens = 256, threads = 0, context = 0, micro_batch = 0;
  bool through_copies = false;
};

void declare(command_line& line, options_of_llama& options) {
  line.add("--model", options.model, "A GGUF file").required().value_name("FILE");
  line.add("--prompt", options.prompt, "The text to continue").value_name("TEXT");
  line.add("--prompt-file", options.prompt_file, "The same, from a file; -: standard input")
      .value_name("FILE");
  line.add("--tokens", options.tokens, "Token ids instead of text").value_name("\"ID ID ...\"");
  line.add("--max-new-tokens", options.new_tokens, "Stop after N tokens").value_name("N").show_default();
  line.add("--heads", options.heads, "Calibrate these heads, in the prompt and in decoding")
      .value_name("FILE");
  line.add("--logits", options.logits,
           "Write the logits behind the prompt as JSON, plain and calibrated, with the sinks, and make no "
           "text")
      .value_name("FILE");
  line.add("--context", options.context, "Tokens of the context; 0: what prompt and new tokens take")
      .value_name("N")
      .show_default();
  line.add("--micro-batch", options.micro_batch,
           "Tokens that are computed at once; 0: the whole prompt, which is then calibrated as a whole")
      .value_name("N")
      .show_default();
  line.add("--cache-type", options.cache, "Keys and values are kept as f16 or f32")
      .one_of({"f16", "f32"})
      .value_name("TYPE")
      .show_default();
  line.add("--flash-attention", options.flash_attention,
           "on or off; with it on there is no map to calibrate, and --heads is refused once that is seen")
      .one_of({"on", "off"})
      .value_name("on|off")
      .show_default();
  line.add("--threads", options.threads, "Threads to use; 0: llama.cpp's default")
      .value_name("N")
      .within(0, 512)
      .show_default();
  line.add_flag("--through-copies", options.through_copies,
                "Fetch and store maps as if they lay on a device, for tests");
  options.calibration.add_to(line);
  line.footer(
      "Examples:\n"
      "  act-llama --model M.gguf --prompt 'Once upon a time' --max-new-tokens 100 --heads heads.json\n"
      "  act-llama --model M.gguf --tokens '1 15 27' --heads heads.json --logits out.json\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage.");
}

std::vector<llama_token> tokens_of(const options_of_llama& options, const act_llama::loaded_model& model) {
  if (options.tokens.empty()) {
    return model.tokens_of(options.prompt_file.empty() ? options.prompt
                                                       : read_prompt_file(options.prompt_file).text);
  }
  std::istringstream text(options.tokens);
  std::vector<llama_token> tokens;
  for (llama_token each = 0; text >> each;)
    tokens.push_back(each);
  if (tokens.empty() || !text.eof()) {
    throw act::error(act::error_code::invalid_option, "--tokens",
                     "needs token ids, whole numbers with spaces between");
  }
  return tokens;
}

act::io::json_document numbers(std::span<const float> logits) {
  auto list = act::io::json_document::array();
  for (const float logit : logits)
    list.push_back(static_cast<double>(logit));
  return list;
}

act::io::json_document sinks_of(const act_llama::attention_hook& hook) {
  auto list = act::io::json_document::array();
  for (const act_llama::sinks_of_head& each : hook.sinks())
    list.push_back(act::io::json_document::array({each.layer, each.head, each.tokens}));
  return list;
}

void write_logits(const options_of_llama& options, const act_llama::loaded_model& model,
                  const act_llama::session_settings& plain, const act_llama::session_settings& settings,
                  act_llama::attention_hook& hook, const std::vector<llama_token>& tokens) {
  auto document = act::io::json_document::object();
  document.set("baseline", numbers(act_llama::session(model, plain).decode(tokens)));
  if (!options.heads.empty()) {
    act_llama::session session(model, settings);
    document.set("calibrated", numbers(session.decode(tokens)));
    hook.check();
    document.set("sinks", sinks_of(hook));
  }
  act::io::write_file(options.logits, document.text() + "\n");
}

void run(const command_line& line, const options_of_llama& options) {
  const int prompts = static_cast<int>(line.given("--prompt")) +
                      static_cast<int>(line.given("--prompt-file")) +
                      static_cast<int>(line.given("--tokens"));
  if (prompts != 1) {
    throw act::error(act::error_code::invalid_option, "--prompt",
                     "give one of --prompt, --prompt-file and --tokens");
  }
  if (options.heads.empty()) options.calibration.refuse_without_heads();
  check_outputs({{"--logits", options.logits}}, {options.model, options.prompt_file, options.heads});
  act::set_thread_count(options.threads);
  const act_llama::loaded_model model(options.model);
  const std::vector<llama_token> tokens = tokens_of(options, model);
  std::vector<act_llama::layer_choice> heads;
  if (!options.heads.empty()) heads = act_llama::read_heads(options.heads, options.calibration, model);
  act_llama::attention_hook::settings of_hook;
  of_hook.through_copies = options.through_copies;
  act_llama::attention_hook hook(heads, of_hook);

  act_llama::session_settings settings;
  settings.tokens = options.context != 0 ? options.context
                                         : tokens.size() + (options.logits.empty() ? options.new_tokens : 0);
  settings.micro_batch = options.micro_batch;
  settings.threads = options.threads;
  settings.float_cache = options.cache == "f32";
  settings.flash_attention = options.flash_attention == "on";
  const act_llama::session_settings plain = settings;
  if (!options.heads.empty()) {
    settings.callback = act_llama::attention_hook::evaluate;
    settings.callback_data = &hook;
  }
  if (!options.logits.empty()) {
    write_logits(options, model, plain, settings, hook, tokens);
    return;
  }
  act_llama::session session(model, settings);
  std::span<const float> logits = session.decode(tokens);
  for (std::size_t made = 0; made < options.new_tokens; ++made) {
    hook.check();
    const llama_token next = act_llama::likeliest(logits);
    if (model.ends_text(next)) break;
    std::cout << model.text_of(next) << std::flush;
    logits = session.decode({next});
  }
  std::cout << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  command_line line("Text from llama.cpp, plain or with calibrated heads.", "act-llama");
  options_of_llama options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
