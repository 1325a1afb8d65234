#include "generate/options.hpp"

#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/text_stream.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "programs/reference_cache.hpp"

namespace act_program {

void declare(command_line& line, generate_options& options) {
  options.common.add_to(line);
  options.prompt_given =
      line.add("--prompt", options.prompt, "The text to continue, or the question with --chat")
          .value_name("TEXT");
  options.file_given = line.add("--prompt-file", options.prompt_file,
                                "The same, from a file, to its last byte; -: standard input")
                           .value_name("FILE");
  options.tokens_given =
      line.add("--tokens", options.tokens, "Token ids instead of text, for --logits; needs no tokenizer")
          .value_name("\"ID ID ...\"");
  options.logits_given = line.add("--logits", options.logits,
                                  "Write the last position's logits as JSON: baseline and calibrated")
                             .value_name("FILE");
  options.mt_bench_given = line.add("--mt-bench", options.mt_bench,
                                    "Answer MT-Bench's question.jsonl, each turn in the chat format")
                               .value_name("FILE");
  options.answers_given =
      line.add("--answers", options.answers,
               "Where the answers go, in FastChat's line format; those that the same command gave are kept")
          .value_name("FILE");
  line.add("--max-new-tokens", options.generation.max_new_tokens, "Stop after N tokens (default: 256)")
      .value_name("N");
  options.temperature_given =
      line.add("--temperature", options.generation.sampling.temperature,
               "Divides the logits before a token is drawn; 0: always the likeliest (default: 0)");
  line.add_flag("--category-temperatures", options.category_temperatures,
                "With --mt-bench: each question at FastChat's temperature for its category (0.7 writing, "
                "roleplay; 0.1 stem, humanities; else 0). Without it, all are answered at --temperature");
  options.drawing_given = {
      {"--top-k", line.add("--top-k", options.generation.sampling.top_k,
                           "Draw from the K likeliest tokens only (default: 0, all)")},
      {"--top-p", line.add("--top-p", options.generation.sampling.top_p,
                           "Draw from the likeliest tokens that together reach P (default: 1)")},
      {"--seed",
       line.add("--seed", options.generation.sampling.seed, "Of the draws (default: 0)").value_name("S")}};
  line.add("--stop", options.generation.stops,
           "End the text before this string, in which \\n, \\t and \\r are line break, tab and carriage "
           "return and \\\\ is a backslash; may be repeated")
      .value_name("TEXT")
      .one_value_each_time();
  line.add(
          "--cache", options.cache,
          "Which tokens are kept: all (the text ends where the model's context does), window:N (the last "
          "N), or "
          "window:N+sinks:S (the first S too: the text may go on and on), or reference-heads:K (all, but the "
          "keys of K key heads a layer alone, of which the others' are made) (default: all)")
      .value_name("POLICY");
  line.add("--cache-type", options.cache_type,
           "In what numbers the cache keeps keys and values: f32, or f16 (half the memory, and faster behind "
           "long texts)")
      .one_of({"f32", "f16"})
      .value_name("TYPE")
      .show_default();
  line.add("--cache-text", options.cache_text, "With reference-heads:K: the text that fits how keys are made")
      .value_name("FILE");
  line.add_flag(
      "--chat", options.chat,
      "Write the prompt as a question, by the chat template that the model carries; without a prompt: "
      "a conversation, a message a line");
  line.add("--chat-template", options.chat_template,
           "Chat in this format instead of the model's own: " + act::runtime::known_chat_templates())
      .value_name("NAME");
  options.system_given =
      line.add("--system", options.system, "The chat's system text (default: the format's)")
          .value_name("TEXT");
  line.add("--heads", options.heads, "Calibrate these heads, in the prompt and in decoding")
      .value_name("FILE");
  line.add_flag("--force", options.force, "Use heads that were found for another checkpoint");
  options.calibration.add_to(line);
  line.footer(
      "Examples:\n"
      "  act-generate --model M.gguf --prompt 'Once upon a time' --max-new-tokens 100\n"
      "  act-generate --model M.gguf --chat --prompt 'What is a sink?' --heads heads.json\n"
      "  act-generate --model M.gguf --chat --system 'Answer in one sentence.'\n"
      "  echo 'Once upon a time' | act-generate --model M.gguf --prompt-file - --json - > text.json\n"
      "  act-generate --model M.gguf --prompt-file p.txt --temperature 0.8 --top-p 0.9 --seed 7 --stop "
      "'\\n\\n'\n"
      "  act-generate --model M.gguf --prompt 'Once' --max-new-tokens 5000 --cache window:1020+sinks:4\n"
      "  act-generate --model M.gguf --tokens '1 15 27' --heads heads.json --logits out.json\n"
      "  act-generate --model M.gguf --mt-bench question.jsonl --answers answers.jsonl --max-new-tokens "
      "1024\n"
      "A prompt is calibrated as a whole; generated tokens by the attention so far.\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
  throw act::error(act::error_code::invalid_option, option, why);
}

}  // namespace

std::vector<act::runtime::chat_turn> generate_options::opening() const {
  if (system_given.count() == 0) return {};
  return {{act::runtime::chat_role::system, system}};
}

void unescape_stops(generate_options& options) {
  for (std::string& stop : options.generation.stops) {
    std::string meant;
    for (std::size_t at = 0; at < stop.size(); ++at) {
      if (stop[at] != '\\') {
        meant += stop[at];
        continue;
      }
      constexpr std::string_view spelt = "ntr\\", stands_for = "\n\t\r\\";
      const std::size_t which = ++at < stop.size() ? spelt.find(stop[at]) : std::string_view::npos;
      if (which == std::string_view::npos) {
        refuse("--stop", "'" + act::io::printable(stop) +
                             "' has a backslash that begins none of \\n, \\t, \\r and \\\\; double it "
                             "where a backslash is meant");
      }
      meant += stands_for[which];
    }
    stop = std::move(meant);
  }
}

void check_usage(const generate_options& options) {
  const std::size_t prompts = options.prompt_given.count() + options.file_given.count() +
                              options.tokens_given.count() + options.mt_bench_given.count();
  const bool converses = options.chat || !options.chat_template.empty();
  if (prompts > 1 || (prompts == 0 && !converses)) {
    refuse(
        "--prompt",
        "give one of --prompt, --prompt-file, --tokens and --mt-bench, or --chat alone for a conversation");
  }
  if ((options.mt_bench_given.count() > 0) != (options.answers_given.count() > 0)) {
    refuse("--mt-bench", "needs --answers, and --answers needs --mt-bench");
  }
  if ((options.tokens_given.count() > 0) != (options.logits_given.count() > 0)) {
    refuse("--tokens", "needs --logits, and --logits needs --tokens");
  }
  if (options.category_temperatures && options.mt_bench_given.count() == 0)
    refuse("--category-temperatures", "needs --mt-bench, whose questions have categories");
  if (options.category_temperatures && options.temperature_given.count() > 0)
    refuse("--category-temperatures", "and --temperature both say what questions are drawn at; give one");
  const bool chat = converses || options.mt_bench_given.count() > 0;
  if (options.system_given.count() > 0 && !chat) refuse("--system", "needs --chat");
  const act::runtime::cache_policy cache = act::runtime::parse_cache_policy(options.cache, "--cache");
  check_reference_cache(cache, options.cache_text);
  act::runtime::check_cache_type(cache, options.stored(), "--cache-type");
  if ((cache.evicts() || cache.reference_heads > 0) && options.tokens_given.count() > 0)
    refuse("--cache", "is for text that is made; --logits runs its tokens at once");
  if (options.stored() != act::runtime::cache_type::f32 && options.tokens_given.count() > 0)
    refuse("--cache-type", "is for text that is made; --logits runs its tokens at once");
  act::throw_if(options.generation.sampling.validate(), act::error_code::invalid_option);
  if (options.temperature_given.count() == 0 && !options.category_temperatures) {
    for (const auto& [name, drawing] : options.drawing_given) {
      if (drawing.given())
        refuse(name, "is of draws, and without --temperature each token is the likeliest; give both");
    }
  }
  (void)act::runtime::text_stream(options.generation.stops);
  if (!options.chat_template.empty()) (void)act::runtime::find_chat_template(options.chat_template);
}

}  // namespace act_program
