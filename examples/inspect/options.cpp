#include "inspect/options.hpp"

#include <unistd.h>

#include <act/error.hpp>

#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "programs/command_line.hpp"
#include "programs/task_listing.hpp"

namespace act_program {

void declare(command_line& line, inspect_options& options) {
  options.common.add_to(line);
  line.add("--prompt", options.prompt, "The text to look at").value_name("TEXT");
  line.add("--prompt-file", options.prompt_file, "The same, from a file, to its last byte; -: standard input")
      .value_name("FILE");
  line.add("--task", options.task,
           "Look at every sample of a data set instead: sst2, boolq, arce, squad, jsonl ...")
      .value_name("NAME");
  add_task_listing(line);
  line.add("--data", options.data, "The task's data file").value_name("FILE");
  line.add("--limit", options.limit, "Look at N samples, chosen by --seed; 0: all")
      .within(0, any_count)
      .value_name("N")
      .show_default();
  line.add("--seed", options.seed, "Chooses the samples of --limit (default: 0)").value_name("S");
  options.long_prompts.add_to(line);
  options.special_tokens.add_to(line);
  options.final_space.add_to(line);
  line.add("--html", options.html,
           "Write a page with the heat maps and, of a prompt, every head's attention map")
      .value_name("FILE");
  line.add("--top", options.top, "Lines of each table").value_name("N").show_default();
  line.add("--color", options.colour, "Colour in the heat map: auto (on a terminal), always, never")
      .one_of({"auto", "always", "never"})
      .show_default();
  options.sinks.add_to(line, "What a sink is (defaults: the paper's)");
  line.footer(
      "Examples:\n"
      "  act-inspect --model M.gguf --prompt 'What is a sink? It is a token that draws attention.'\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --html maps.html --json sinks.json\n"
      "  act-inspect --model M.gguf --task sst2 --data dev.tsv --limit 100 --top 9\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --rule absolute --tau 0.15 --min-visible-rows 10\n"
      "A sink is never the first token; what lies on that is shown beside them.\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

void check_usage(const command_line& line, const inspect_options& options) {
  const auto given = [&](const char* name) { return line.given(name); };
  const auto refuse = [](const char* option, const char* why) {
    throw act::error(act::error_code::invalid_option, option, why);
  };
  if (given("--prompt") + given("--prompt-file") + given("--task") != 1) {
    refuse("--prompt", "give one of --prompt, --prompt-file, and --task with --data");
  }
  if (given("--task") != given("--data")) refuse("--task", "needs --data, and --data needs --task");
  for (const char* name : {"--limit", "--seed", "--long-prompts", "--special-tokens", "--no-final-space"}) {
    if (given(name) && !given("--task")) refuse(name, "is for --task, which has samples to choose");
  }
  act::throw_if(options.sinks.over({}).validate(), act::error_code::invalid_option);
}

bool wants_colour(const inspect_options& options) {
  if (options.colour != "auto") return options.colour == "always";
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace act_program
