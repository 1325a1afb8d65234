#include "inspect/prompt.hpp"

#include <act/error.hpp>
#include <act/inspection/observe.hpp>
#include <act/inspection/summary.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/text_file.hpp>
#include <act/report/inspection_page.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/progress.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/load_model.hpp>

#include <cstddef>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "inspect/options.hpp"
#include "inspect/result.hpp"
#include "programs/interruption.hpp"

namespace act_program {

namespace {

struct named_prompt {
  std::string name;  ///< for messages
  std::string text;
};

named_prompt read_prompt(const inspect_options& options) {
  if (options.prompt_file.empty()) return {.name = "--prompt", .text = options.prompt};
  return {.name = options.prompt_file, .text = act::io::read_text_file(options.prompt_file).text};
}

std::vector<act::runtime::token_id> tokens_of(const named_prompt& prompt,
                                              const act::runtime::loaded_model& loaded) {
  std::vector<act::runtime::token_id> ids = loaded.tokenizer->encode(prompt.text);
  const std::size_t tokens = ids.size();
  if (tokens == 0) {
    throw act::error(act::error_code::invalid_input, prompt.name, "has no tokens to look at; give a text");
  }
  if (tokens > loaded.model.config.context) {
    throw act::error(act::error_code::invalid_input, prompt.name,
                     "has " + std::to_string(tokens) + " tokens, the model's context is " +
                         std::to_string(loaded.model.config.context) + "; shorten the text");
  }
  return ids;
}

act::inspection::prompt_observation look(const act::runtime::model& model,
                                         const std::vector<act::runtime::token_id>& prompt,
                                         const act::inspection::observe_options& how, bool quiet) {
  act::report::progress progress("looking at layers", model.config.layers, quiet);
  return std::move(act::inspection::observe(model, {&prompt, 1}, how, [&] {
                     progress.advance();
                     stop_if_interrupted();
                   }).front());
}

}  // namespace

void inspect_prompt(const command_line& line, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const named_prompt prompt = read_prompt(options);
  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const std::vector<act::runtime::token_id> ids = tokens_of(prompt, loaded);
  const std::size_t tokens = ids.size();
  const act::runtime::model_config& config = loaded.model.config;
  const act::inspection::observe_options how{
      .sinks = options.sinks.over({}),
      .picture_side =
          options.html.empty() ? 0 : act::report::page_picture_side(config.layers * config.heads, tokens)};
  const act::inspection::prompt_observation observed = look(loaded.model, ids, how, options.common.quiet);
  const act::inspection::inspection_summary summary = act::inspection::summarise(observed);

  if (!options.common.json.empty()) {
    act::io::json_document document =
        act::io::json_document::object({{"prompt", prompt.text}, {"prompt_tokens", observed.tokens}});
    document.update(act::report::to_json(summary, by));
    document.set("sinks", act::report::sinks_json(observed, by));
    write_inspection(std::move(document), how.sinks, loaded.model, clock, line, options);
  }
  if (!options.html.empty()) {
    const act::report::page_heading heading =
        heading_of(std::to_string(tokens) + " tokens: " + act::report::visible_text(prompt.text, 300),
                   how.sinks, loaded);
    act::io::write_file(options.html,
                        act::report::inspection_page(heading, summary, observed, by, options.top));
  }
  std::cout << tokens << " tokens, first " << act::report::quoted_token(by, observed.tokens.front()) << "; "
            << summary.layers << " layers of " << summary.heads << " heads\n";
  print_heat_map(summary, options);
  if (summary.sinks == 0 || options.top == 0) return;
  std::cout << "\nthe sinks that hold most of their head's attention\n"
            << act::report::strongest_sinks_table(observed, by, options.top)
            << "\nthe tokens that are sinks of most heads\n"
            << act::report::sink_positions_table(observed, by, options.top);
}

}  // namespace act_program
