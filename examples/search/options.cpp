#include "search/options.hpp"

#include <act/error.hpp>
#include <act/report/number_text.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>

#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "programs/command_line.hpp"
#include "programs/task_listing.hpp"

namespace act_program {

void declare(command_line& line, search_options& options) {
  options.common.add_to(line);
  line.add("--task", options.tasks, "Task and held-out file, for example sst2=train.tsv; may be repeated")
      .required()
      .value_name("NAME=FILE");
  add_task_listing(line);
  line.add("--samples", options.samples, "Samples of each file, chosen by --seed; 0: all")
      .within(0, any_count)
      .value_name("M")
      .show_default();
  line.add("--seed", options.seed, "Chooses the samples, their order, and folds and resamples of --select")
      .value_name("S")
      .show_default();
  line.add("--layers", options.layers,
           "Layers to search, counted from 0, both ends included, negative from the end; with --select "
           "unibias "
           "their upper half unless this is given")
      .value_name("FIRST:LAST")
      .show_default();
  line.add("--strategy", options.strategy,
           "exact: every head on every sample; ranked: heads by estimates, those around the cut exactly, "
           "within "
           "--budget; "
           "racing: "
           "heads stop once they can't be picked, at --risk")
      .one_of({"exact", "ranked", "racing"})
      .show_default();
  line.add("--budget", options.budget,
           "ranked: the share of the exact trials' cost that estimates and trials may take")
      .show_default();
  line.add("--risk", options.risk, "racing: how likely a head that helps may be stopped, at most")
      .show_default();
  line.add("--select", options.select,
           "How heads are chosen: " + std::string(act::search::selection_rules) +
               " (docs/selection.md); without K it is chosen by cross-validation; racing, and accuracy, auc "
               "and entropy, "
               "take top:33% unless this is given. With --mask also unibias: "
               "heads "
               "that push towards some labels whatever the sample is (docs/rivals.md)")
      .value_name("RULE")
      .show_default();
  line.add("--objective", options.objective,
           "What heads are to improve: accuracy, the right answer's likelihood among a sample's, the same "
           "centred (without the label prior), mixed (centred and some of likelihood), auc (pairs of samples "
           "in the right order), or, without labels, "
           "less entropy of the answers' probabilities")
      .one_of({"accuracy", "likelihood", "centred", "mixed", "auc", "entropy"})
      .show_default();
  line.add_flag("--verify", options.verify,
                "Run the search samples once more with all picked heads calibrated, and say how far the "
                "estimate was right");
  line.add("--verify-best", options.verify_best,
           "Run N sets together that the rule could take (those next to its K, or the best by "
           "cross-validation), and take the one that gains most of --objective on the search samples")
      .within(1, 100)
      .value_name("N");
  line.add(
          "--tune-beta", options.tune_beta,
          "Run the picked heads together at each of these betas, and take the one at which the right answers "
          "of the search samples are likeliest, for example 0,0.2,0.4,0.6")
      .value_name("B,B...");
  line.add("--state", options.state, "Keep what is computed here; the same command goes on from it")
      .value_name("FILE");
  line.add("--reuse", options.reuse,
           "Take over trials of the same samples from another search's --state, of other samples or layers; "
           "may be "
           "repeated")
      .value_name("FILE")
      .one_value_each_time();
  line.add("--out", options.out, "The heads file to write; required except with --dry-run and --shard")
      .value_name("FILE");
  line.add("--memory", options.memory,
           "Keep no more than this, the weights included: fewer samples share a plain pass (4G, 512M)")
      .value_name("SIZE");
  line.add("--shard", options.shard,
           "Run this part of the search only, for example 2/8, into --state; --merge puts parts together")
      .value_name("I/N");
  line.add("--merge", options.merge, "State files of the same search's shards to take over first")
      .value_name("FILE...");
  line.add_flag("--dry-run", options.dry_run,
                "Say what the search would take (trials, work, memory, time) and end; runs a few trials to "
                "measure");
  options.scoring.add_to(line);
  options.calibration.add_to(line);
  options.calibration.add_lists_to(line);
  line.footer(
      "Examples:\n"
      "  act-search --model M.gguf --task sst2=train.tsv --samples 100 --state search.state --out "
      "heads.json\n"
      "  act-search --model M.gguf --task sst2=a.tsv --task trec=b.txt --select top:15 --objective "
      "likelihood \\\n"
      "             --state two.state --out two.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --samples 300 --reuse search.state --state "
      "more.state \\\n"
      "             --out more.json\n"
      "  act-search --model M.gguf --task arce=dev.jsonl --scoring likelihood --out heads.json\n"
      "  act-search --model M.gguf --task arce=dev.jsonl --redistribution subset --subset question --out "
      "heads.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --columns initial-token --factor 2 --out "
      "zerotuning.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --columns initial-token --factor 2 --select top:15 "
      "\\\n"
      "             --objective entropy --out unsupervised.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --tune-beta 0,0.2,0.4,0.6 --out tuned.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --betas 0,0.4,0.7 --out strengths.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --mask --out masked.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --mask --select unibias --out unibias.json\n"
      "  mpirun -n 8 act-search --model M.gguf --task sst2=train.tsv --state cluster.state --out heads.json\n"
      "  act-search --model M.gguf --task sst2=train.tsv --shard 2/8 --state part2.state\n"
      "  act-search --model M.gguf --task sst2=train.tsv --merge part*.state --state all.state --out "
      "heads.json\n"
      "Exit codes: 0 done (also when no head helps), 1 bad input, 2 wrong usage, 130 interrupted.");
}

namespace {

act::search::search_objective objective_of(const search_options& options) {
  return act::search::find_objective(options.objective).value_or(act::search::search_objective::accuracy);
}

}  // namespace

void search_options::choose_default_rule() {
  select = act::search::default_selection(objective_of(*this), strategy == "racing");
}

act::search::selection_rule search_options::rule() const {
  act::search::selection_rule made = act::search::parse_selection(select, objective_of(*this), "--select");
  made.seed = seed;
  return made;
}

namespace {

// For a shell: in single quotes unless every character is harmless.
std::string quoted(const std::string& argument) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!argument.empty() && argument.find_first_not_of(harmless) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument)
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

namespace {

// The fewest digits that give the number back.
std::string shortest(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

}  // namespace

shard_number parse_shard(const search_options& options) {
  shard_number shard;
  const auto refuse = [](const char* where, const std::string& what) {
    throw act::error(act::error_code::invalid_option, where, what);
  };
  if (options.strategy != "exact" && !(options.shard.empty() && options.merge.empty())) {
    refuse("--strategy", "is '" + options.strategy +
                             "', which decides by all results so far; --shard and --merge "
                             "go with exact, mpirun with every strategy");
  }
  if (options.shard.empty()) return shard;
  const char* const end = options.shard.data() + options.shard.size();
  const auto number = std::from_chars(options.shard.data(), end, shard.number);
  bool good = number.ec == std::errc{} && number.ptr != end && *number.ptr == '/';
  if (good) {
    const auto count = std::from_chars(number.ptr + 1, end, shard.count);
    good = count.ec == std::errc{} && count.ptr == end && shard.number >= 1 && shard.number <= shard.count;
  }
  if (!good)
    refuse("--shard", "'" + options.shard.substr(0, 40) + "' isn't I/N with I from 1 to N, for example 2/8");
  if (options.state.empty()) refuse("--shard", "needs --state: that is where its part goes");
  if (!options.out.empty() || !options.common.json.empty())
    refuse("--shard",
           "finds no heads, so it writes neither --out nor --json; --merge does, when all parts are there");
  if (!options.merge.empty()) refuse("--shard", "doesn't go with --merge; merge when all parts are there");
  if (options.verify || options.verify_best > 0)
    refuse(
        "--shard",
        "finds no heads, so it can't --verify or --verify-best any; --merge does, when all parts are there");
  if (options.dry_run)
    refuse(
        "--shard",
        "doesn't go with --dry-run, which says what the whole search takes: a shard takes its part of that");
  return shard;
}

std::string strategy_record(const search_options& options) {
  const auto check = [](double value, double most, const char* name) {
    if (!(value > 0 && value <= most)) {
      throw act::error(act::error_code::invalid_option, name,
                       "must be above 0 and at most " + act::report::formatted("%g", most));
    }
  };
  check(options.budget, 1, "--budget");
  check(options.risk, 0.4, "--risk");
  if (options.strategy == "ranked")
    return act::search::ranked_record(options.select, options.objective, options.budget);
  if (options.strategy == "racing") {
    return "racing for " + options.select + " by " + options.objective + " at " + shortest(options.risk);
  }
  return {};
}

std::string full_range_command(const command_line& line, const search_options& options) {
  std::string command = "act-search";
  for (const given_option& option : line.given()) {
    if (option.name == "layers" || option.name == "out" || option.name == "state" || option.name == "json" ||
        option.name == "merge") {
      continue;
    }
    if (option.flag) command += " --" + option.name;
    for (const std::string& value : option.values)
      command += " --" + option.name + " " + quoted(value);
  }
  const std::filesystem::path out(options.out);
  const std::string beside = (out.parent_path() / (out.stem().string() + "-all-layers")).string();
  return command + " --state " + quoted(beside + ".state") + " --out " + quoted(beside + ".json");
}

}  // namespace act_program
