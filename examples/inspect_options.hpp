// act-inspect's command line: what can be asked, and which questions don't fit together.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "program.hpp"

namespace act_program {

struct inspect_options {
  common_options common;
  sink_flags sinks;
  long_prompts_flag long_prompts;
  std::string prompt;
  std::string prompt_file;
  std::string task;
  std::string data;
  std::int64_t limit = 0;
  std::uint64_t seed = 0;
  std::size_t top = 15;
  std::string colour = "auto";
  std::string html;
};

inline void declare(CLI::App& app, inspect_options& options) {
  options.common.add_to(app);
  app.add_option("--prompt", options.prompt, "The text to look at")->type_name("TEXT");
  app.add_option("--prompt-file", options.prompt_file, "The same, from a file, to its last byte")
      ->type_name("FILE");
  app.add_option("--task", options.task,
                 "Look at every sample of a data set instead: sst2, boolq, arce, squad, jsonl ...")
      ->type_name("NAME");
  app.add_option("--data", options.data, "The task's data file")->type_name("FILE");
  app.add_option("--limit", options.limit, "Look at N samples, chosen by --seed (default: all)")
      ->type_name("N");
  app.add_option("--seed", options.seed, "Chooses the samples of --limit (default: 0)")->type_name("S");
  options.long_prompts.add_to(app);
  app.add_option("--html", options.html,
                 "Write a page with the heat maps and, of a prompt, every head's attention map")
      ->type_name("FILE");
  app.add_option("--top", options.top, "Lines of each table")->type_name("N")->capture_default_str();
  app.add_option("--color", options.colour, "Colour in the heat map: auto (on a terminal), always, never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  options.sinks.add_to(app, "What a sink is (defaults: the paper's)");
  app.footer(
      "Examples:\n"
      "  act-inspect --model M.gguf --prompt 'What is a sink? It is a token that draws attention.'\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --html maps.html --json sinks.json\n"
      "  act-inspect --model M.gguf --task sst2 --data dev.tsv --limit 100 --top 9\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --rule absolute --tau 0.15 --min-visible-rows 10\n"
      "A sink is never the first token; what lies on that is shown beside them.\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

/// Throws act::error (invalid_option) unless there is one thing to look at. Nothing given is passed over.
inline void check_usage(const CLI::App& app, const inspect_options& options) {
  const auto given = [&](const char* name) { return app.get_option(name)->count() > 0; };
  const auto refuse = [](const char* option, const char* why) {
    throw act::error(act::error_code::invalid_option, option, why);
  };
  if (given("--prompt") + given("--prompt-file") + given("--task") != 1) {
    refuse("--prompt", "give one of --prompt, --prompt-file, and --task with --data");
  }
  if (given("--task") != given("--data")) refuse("--task", "needs --data, and --data needs --task");
  for (const char* name : {"--limit", "--seed", "--long-prompts"}) {
    if (given(name) && !given("--task")) refuse(name, "is for --task, which has samples to choose");
  }
  act::throw_if(options.sinks.over({}).validate(), act::error_code::invalid_option);
}

/// Whether standard output gets colour: by --color, else on a terminal that has it. NO_COLOR turns it off.
inline bool wants_colour(const inspect_options& options) {
  if (options.colour != "auto") return options.colour == "always";
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace act_program
