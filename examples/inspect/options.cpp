#include "inspect/options.hpp"

#include <unistd.h>

#include <act/error.hpp>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>

#include "programs/command_line.hpp"
#include "programs/task_listing.hpp"

namespace act_program {

namespace {

constexpr std::initializer_list<const char*> of_pictures = {"--heads", "--force", "--beta"};
constexpr std::initializer_list<const char*> of_predictability = {
    "--vectors",     "--references", "--lower-layers", "--context",
    "--max-windows", "--leave-out",  "--ridge",        "--random-weights"};

void declare_predictability(command_line& line, inspect_options& options) {
  const std::string group = "How well heads predict each other";
  line.add("--predictability", options.predictability,
           "Instead of sinks: how well a head's vectors are a linear map of other heads', over this text")
      .value_name("FILE")
      .group(group);
  line.add("--vectors", options.vectors,
           "Whose vectors, repeated for more: queries, keys (before positions), rotated-keys, values "
           "(default: all)")
      .one_of({"queries", "keys", "rotated-keys", "values"})
      .one_value_each_time()
      .group(group);
  line.add("--references", options.references, "So many heads predict one, 1 first")
      .within(1, 64)
      .value_name("K")
      .show_default()
      .group(group);
  line.add("--lower-layers", options.lower_layers, "They may lie so many layers below, too")
      .within(0, 64)
      .value_name("N")
      .show_default()
      .group(group);
  line.add("--context", options.context, "Tokens of a window (default: 512, or the model's context)")
      .within(2, any_count)
      .value_name("N")
      .group(group);
  line.add("--max-windows", options.max_windows, "Read so many windows; 0: all; the last fifth is held out")
      .within(0, any_count)
      .value_name("N")
      .show_default()
      .group(group);
  line.add("--leave-out", options.leave_out, "Tokens at each window's beginning that don't count")
      .within(0, any_count)
      .value_name("N")
      .show_default()
      .group(group);
  line.add("--ridge", options.ridge, "Ridge of the regression, in shares of each number's variation")
      .value_name("R")
      .show_default()
      .group(group);
  line.add("--random-weights", options.random_weights,
           "Look at the model's architecture with random weights, drawn by this seed")
      .value_name("SEED")
      .group(group);
}

void declare_pictures(command_line& line, inspect_options& options) {
  const std::string group = "Pictures";
  line.add("--html", options.html,
           "Write a page with the heat maps and maps before and after calibration: of a prompt every head's, "
           "of a "
           "data set each layer's mean")
      .value_name("FILE")
      .group(group);
  line.add("--svg", options.svg, "Write the same pictures into this folder, for papers")
      .value_name("FOLDER")
      .group(group);
  line.add("--map", options.maps,
           "With --svg of a prompt: this head's maps, repeated for more (default: the head with most on "
           "sinks)")
      .value_name("LAYER,HEAD")
      .one_value_each_time()
      .group(group);
  line.add("--heads", options.heads,
           "Maps after calibration are those of a model with these heads calibrated (default: each head's as "
           "it "
           "were with this one alone calibrated)")
      .value_name("FILE")
      .group(group);
  line.add_flag("--force", options.force, "Use heads that were found for another checkpoint").group(group);
  line.add("--beta", options.beta, "What sinks keep of their weight (default: 0.4, or the heads file's)")
      .value_name("B")
      .group(group);
}

}  // namespace

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
  line.add("--top", options.top, "Lines of each table").value_name("N").show_default();
  line.add("--color", options.colour, "Colour in the heat map: auto (on a terminal), always, never")
      .one_of({"auto", "always", "never"})
      .show_default();
  options.calibration.sinks.add_to(line, "What a sink is (defaults: the paper's, or the heads file's)");
  declare_pictures(line, options);
  declare_predictability(line, options);
  line.footer(
      "Examples:\n"
      "  act-inspect --model M.gguf --prompt 'What is a sink? It is a token that draws attention.'\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --html maps.html --json sinks.json\n"
      "  act-inspect --model M.gguf --task sst2 --data dev.tsv --limit 100 --top 9\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --svg figures --map 3,2 --map 1,0\n"
      "  act-inspect --model M.gguf --task sst2 --data dev.tsv --limit 100 --heads heads.json --svg figures\n"
      "  act-inspect --model M.gguf --prompt-file p.txt --rule absolute --tau 0.15 --min-visible-rows 10\n"
      "  act-inspect --model M.gguf --predictability text.txt --context 64 --html heads.html\n"
      "A sink is never the first token; what lies on that is shown beside them.\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

void check_usage(const command_line& line, const inspect_options& options) {
  const auto given = [&](const char* name) { return line.given(name); };
  const auto refuse = [](const char* option, const char* why) {
    throw act::error(act::error_code::invalid_option, option, why);
  };
  if (given("--prompt") + given("--prompt-file") + given("--task") + given("--predictability") != 1) {
    refuse("--prompt", "give one of --prompt, --prompt-file, --task with --data, and --predictability");
  }
  if (given("--task") != given("--data")) refuse("--task", "needs --data, and --data needs --task");
  for (const char* name : {"--limit", "--seed", "--long-prompts", "--special-tokens", "--no-final-space"}) {
    if (given(name) && !given("--task")) refuse(name, "is for --task, which has samples to choose");
  }
  for (const char* name : of_pictures) {
    if (given(name) && !options.wants_pictures())
      refuse(name, "is for pictures of maps after calibration; give --html or --svg, too");
  }
  if (given("--map") && (!given("--svg") || given("--task"))) refuse("--map", "is for --svg of a prompt");
  if (!(options.beta >= 0 && options.beta <= 1))
    refuse("--beta", "must be between 0 and 1 (the paper's is 0.4)");
  for (const char* name : of_predictability) {
    if (given(name) && !given("--predictability")) refuse(name, "is for --predictability");
  }
  if (given("--predictability")) {
    for (const char* name : {"--svg", "--heads", "--force", "--beta"}) {
      if (given(name)) refuse(name, "is for pictures of attention, which --predictability doesn't look at");
    }
    if (const std::string sinks = options.calibration.sinks.given(); !sinks.empty())
      refuse(sinks.c_str(), "says what a sink is, which --predictability doesn't look at; leave it out");
    if (given("--top")) refuse("--top", "is for tables of sinks; --predictability shows every layer");
    if (!(options.ridge >= 0 && options.ridge <= 1)) refuse("--ridge", "must be from 0 to 1");
  }
  act::throw_if(options.calibration.sinks.over({}).validate(), act::error_code::invalid_option);
}

bool wants_colour(const inspect_options& options) {
  if (options.colour != "auto") return options.colour == "always";
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace act_program
