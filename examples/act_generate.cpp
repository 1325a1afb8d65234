// act-generate: text from a model, plain or with calibrated heads, as it comes.
#include <act/io/atomic_file.hpp>
#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/report/progress.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>
#include <act/runtime/generate.hpp>
#include <act/tasks/mt_bench.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "main.hpp"
#include "program.hpp"
#include "result_file.hpp"

namespace {

using namespace act_program;

struct generate_options {
  common_options common;
  calibration_flags calibration;
  std::string prompt;
  std::string prompt_file;
  std::string tokens;
  std::string logits;
  std::string mt_bench;
  std::string answers;
  bool chat = false;
  std::string chat_template;
  std::string system;
  act::runtime::generation_options generation;
  std::string heads;
  bool force = false;
  // What was given: an empty prompt is one, too.
  CLI::Option* prompt_given = nullptr;
  CLI::Option* file_given = nullptr;
  CLI::Option* tokens_given = nullptr;
  CLI::Option* logits_given = nullptr;
  CLI::Option* mt_bench_given = nullptr;
  CLI::Option* answers_given = nullptr;
  CLI::Option* system_given = nullptr;
};

void declare(CLI::App& app, generate_options& options) {
  options.common.add_to(app);
  options.prompt_given =
      app.add_option("--prompt", options.prompt, "The text to continue, or the question with --chat")
          ->type_name("TEXT");
  options.file_given =
      app.add_option("--prompt-file", options.prompt_file, "The same, from a file, to its last byte")
          ->type_name("FILE");
  options.tokens_given = app.add_option("--tokens", options.tokens,
                                        "Token ids instead of text, for --logits; needs no tokenizer")
                             ->type_name("\"ID ID ...\"");
  options.logits_given = app.add_option("--logits", options.logits,
                                        "Write the last position's logits as JSON: baseline and calibrated")
                             ->type_name("FILE");
  options.mt_bench_given = app.add_option("--mt-bench", options.mt_bench,
                                          "Answer MT-Bench's question.jsonl, each turn in the chat format")
                               ->type_name("FILE");
  options.answers_given =
      app.add_option("--answers", options.answers, "Where the answers go, in FastChat's line format")
          ->type_name("FILE");
  app.add_option("--max-new-tokens", options.generation.max_new_tokens, "Stop after N tokens (default: 256)")
      ->type_name("N");
  app.add_option("--temperature", options.generation.sampling.temperature,
                 "Divides the logits before a token is drawn; 0: always the likeliest (default: 0)");
  app.add_option("--top-k", options.generation.sampling.top_k,
                 "Draw from the K likeliest tokens only (default: 0, all)");
  app.add_option("--top-p", options.generation.sampling.top_p,
                 "Draw from the likeliest tokens that together reach P (default: 1)");
  app.add_option("--seed", options.generation.sampling.seed, "Of the draws (default: 0)")->type_name("S");
  app.add_option("--stop", options.generation.stops, "End the text before this string; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_flag("--chat", options.chat, "Write the prompt as a question in the model's own chat format");
  app.add_option("--chat-template", options.chat_template,
                 "Chat in this format: smollm2, llama2, vicuna, mistral, mistral-v0.1")
      ->type_name("NAME");
  options.system_given =
      app.add_option("--system", options.system, "The chat's system text (default: the format's)")
          ->type_name("TEXT");
  app.add_option("--heads", options.heads, "Calibrate these heads, in the prompt and in decoding")
      ->type_name("FILE");
  app.add_flag("--force", options.force, "Use heads that were found for another checkpoint");
  options.calibration.add_to(app);
  app.footer(
      "Examples:\n"
      "  act-generate --model M.gguf --prompt 'Once upon a time' --max-new-tokens 100\n"
      "  act-generate --model M.gguf --chat --prompt 'What is a sink?' --heads heads.json\n"
      "  act-generate --model M.gguf --prompt-file p.txt --temperature 0.8 --top-p 0.9 --seed 7 --stop "
      "'\\n\\n'\n"
      "  act-generate --model M.gguf --tokens '1 15 27' --heads heads.json --logits out.json\n"
      "  act-generate --model M.gguf --mt-bench question.jsonl --answers answers.jsonl --max-new-tokens "
      "1024\n"
      "A prompt is calibrated as a whole; generated tokens by the attention so far.\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
  throw act::error(act::error_code::invalid_option, option, why);
}

void check_usage(const generate_options& options) {
  const std::size_t prompts = options.prompt_given->count() + options.file_given->count() +
                              options.tokens_given->count() + options.mt_bench_given->count();
  if (prompts != 1) refuse("--prompt", "give one of --prompt, --prompt-file, --tokens and --mt-bench");
  if ((options.mt_bench_given->count() > 0) != (options.answers_given->count() > 0)) {
    refuse("--mt-bench", "needs --answers, and --answers needs --mt-bench");
  }
  if ((options.tokens_given->count() > 0) != (options.logits_given->count() > 0)) {
    refuse("--tokens", "needs --logits, and --logits needs --tokens");
  }
  const bool chat = options.chat || !options.chat_template.empty() || options.mt_bench_given->count() > 0;
  if (options.system_given->count() > 0 && !chat) refuse("--system", "needs --chat");
  act::throw_if(options.generation.sampling.validate(), act::error_code::invalid_option);
  (void)act::runtime::text_stream(options.generation.stops);
  if (!options.chat_template.empty()) (void)act::runtime::find_chat_template(options.chat_template);
}

std::vector<act::runtime::token_id> parse_tokens(const std::string& text) {
  std::vector<act::runtime::token_id> tokens;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" ,\t\r\n", at)) != std::string::npos) {
    const std::size_t end = std::min(text.find_first_of(" ,\t\r\n", at), text.size());
    const std::string one = text.substr(at, end - at);
    if (one.size() > 9 || one.find_first_not_of("0123456789") != std::string::npos) {
      throw act::error(
          act::error_code::invalid_input, "--tokens",
          "'" + act::io::printable(one) + "' isn't a token id; give whole numbers with spaces between");
    }
    tokens.push_back(static_cast<act::runtime::token_id>(std::stol(one)));
    at = end;
  }
  if (tokens.empty()) throw act::error(act::error_code::invalid_input, "--tokens", "holds no ids; give one");
  return tokens;
}

// The options in force.
act::calibration_options calibrated_by(const generate_options& options,
                                       const std::optional<act::search::heads_file>& heads) {
  const act::tasks::named_calibration named = options.calibration.over(heads);
  if (named.subset) {
    refuse(options.calibration.subset_given() ? "--subset" : options.heads + ": options.subset",
           "is for the tasks of act-eval and act-search, whose prompts have a question; use another "
           "--redistribution");
  }
  return named.options;
}

// Heads file and options in force, checked against the model.
act::runtime::model_calibration calibration_for(const act::runtime::model& model,
                                                const generate_options& options,
                                                const std::optional<act::search::heads_file>& heads) {
  act::runtime::model_calibration calibration;
  calibration.options = calibrated_by(options, heads);
  if (!heads) return calibration;
  const act::search::fingerprint_check fit =
      act::search::check_fit(*heads, act::runtime::identity_of(model), options.heads, options.force);
  if (fit == act::search::fingerprint_check::absent && !options.common.quiet) {
    std::cerr << "act-generate: " << options.heads << ": has no fingerprint, so it may be another model's\n";
  }
  calibration.heads = heads->heads;
  return calibration;
}

nlohmann::ordered_json numbers(const act::runtime::model& model, const act::runtime::matrix& hidden) {
  act::runtime::matrix logits(1, act::runtime::index(model.config.vocabulary));
  model.output.all_logits(hidden, logits);
  if (!logits.array().isFinite().all()) {
    throw act::error(act::error_code::invalid_input, "logits",
                     "aren't finite numbers; the checkpoint overflows float32");
  }
  auto list = nlohmann::ordered_json::array();
  for (Eigen::Index i = 0; i < logits.cols(); ++i)
    list.push_back(logits(0, i));
  return list;
}

// One whole pass, plain and calibrated; the tokenizer isn't looked at.
void run_logits(const CLI::App& app, const generate_options& options,
                const act::report::provenance_clock& clock,
                const std::optional<act::search::heads_file>& heads) {
  const std::vector<std::vector<act::runtime::token_id>> prompts{parse_tokens(options.tokens)};
  const std::filesystem::path path = options.common.model;
  const act::runtime::model model =
      std::filesystem::is_directory(path)
          ? act::runtime::read_model(path)
          : act::runtime::read_model(std::make_shared<const act::runtime::gguf_file>(path));
  const act::runtime::model_calibration calibration = calibration_for(model, options, heads);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const act::runtime::plain_and_calibrated both = act::runtime::run_both(model, packed, calibration);
  nlohmann::ordered_json document{{"baseline", numbers(model, both.plain)}};
  if (heads) {
    const bool any = !calibration.heads.empty();
    document["calibrated"] = any ? numbers(model, both.calibrated) : document["baseline"];
  }
  act::io::write_file(options.logits, act::io::compact_json(document) + "\n");
  if (options.common.json.empty()) return;
  nlohmann::ordered_json summary{{"logits", options.logits}, {"prompt_tokens", prompts.front()}};
  add_calibrated_model(summary, calibration, act::runtime::identity_of(model));
  write_result(options.common.json, std::move(summary), app, clock);
}

// The chat format in force: the one that was named, else the model's own.
const act::runtime::chat_template& chat_format(const generate_options& options) {
  if (!options.chat_template.empty()) return act::runtime::find_chat_template(options.chat_template);
  const std::optional<std::string> own = act::runtime::read_chat_template(options.common.model);
  if (!own) {
    throw act::error(act::error_code::unsupported, options.common.model,
                     "carries no chat template; name the format it was trained on with --chat-template");
  }
  return act::runtime::recognise_chat_template(*own, options.common.model);
}

// The format in force, its end token among those that end an answer.
const act::runtime::chat_template& begin_chat(const act::runtime::tokenizer& by, generate_options& options) {
  const act::runtime::chat_template& format = chat_format(options);
  const auto end = by.find(format.end_token);
  if (!end) {
    throw act::error(act::error_code::mismatch, options.common.model,
                     "has no token '" + std::string(format.end_token) + "', which chat format '" +
                         std::string(format.name) + "' needs; name another with --chat-template");
  }
  options.generation.end_tokens.push_back(*end);
  return format;
}

std::vector<act::runtime::chat_turn> opening(const generate_options& options) {
  if (options.system_given->count() == 0) return {};
  return {{act::runtime::chat_role::system, options.system}};
}

// Every question's turns, one conversation each. The file always holds the answers so far.
void run_mt_bench(const CLI::App& app, generate_options& options, const act::report::provenance_clock& clock,
                  const std::vector<act::tasks::mt_bench_question>& questions,
                  const act::runtime::loaded_model& loaded,
                  const act::runtime::model_calibration& calibration) {
  const act::runtime::chat_template& format = begin_chat(*loaded.tokenizer, options);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  const std::string name =
      std::filesystem::path(options.common.model).stem().string() + (calibration.heads.empty() ? "" : "-act");
  std::string lines;
  std::size_t made_tokens = 0;
  act::report::progress progress("answering", questions.size(), options.common.quiet);
  for (const act::tasks::mt_bench_question& question : questions) {
    std::vector<act::runtime::chat_turn> turns = opening(options);
    std::vector<std::string> answers;
    for (const std::string& asked : question.turns) {
      turns.push_back({act::runtime::chat_role::user, asked});
      const std::vector<act::runtime::token_id> prompt =
          loaded.tokenizer->encode(act::runtime::render(format, turns), false);
      if (prompt.size() >= loaded.model.config.context) {
        throw act::error(act::error_code::invalid_input,
                         options.mt_bench + ": question " + std::to_string(question.id),
                         "its conversation fills the model's context; lower --max-new-tokens");
      }
      const act::runtime::generation made =
          act::runtime::generate(loaded.model, *loaded.tokenizer, prompt, calibration, options.generation,
                                 [](std::string_view) { stop_if_interrupted(); });
      made_tokens += made.tokens.size();
      answers.emplace_back(act::runtime::detail::trimmed(made.text));
      turns.push_back({act::runtime::chat_role::assistant, answers.back()});
    }
    act::io::sha256 digest;
    digest.update(identity.fingerprint + " " + name + " " + std::to_string(question.id) + " " +
                  std::to_string(options.generation.sampling.seed));
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    lines +=
        act::tasks::mt_bench_answer_line(question, answers, name, digest.hex().substr(0, 22), now) + "\n";
    act::io::write_file(options.answers, lines);
    progress.advance(1);
  }
  std::cout << questions.size() << " questions answered in " << options.answers << '\n';
  if (options.common.json.empty()) return;
  nlohmann::ordered_json document{{"questions", questions.size()},
                                  {"answers", options.answers},
                                  {"model_id", name},
                                  {"tokens", made_tokens},
                                  {"chat_template", format.name}};
  add_calibrated_model(document, calibration, identity);
  write_result(options.common.json, std::move(document), app, clock);
}

void run(const CLI::App& app, generate_options& options) {
  const act::report::provenance_clock clock;
  check_usage(options);
  act::set_thread_count(options.common.threads);
  std::optional<act::search::heads_file> heads;
  if (!options.heads.empty()) heads = act::search::read_heads_file(options.heads);
  (void)calibrated_by(options, heads);  // what can't be is noticed before the model is loaded
  if (options.tokens_given->count() > 0) {
    run_logits(app, options, clock, heads);
    return;
  }
  std::vector<act::tasks::mt_bench_question> questions;
  if (options.mt_bench_given->count() > 0) {
    questions = act::tasks::read_mt_bench(act::io::read_text_file(options.mt_bench));
  }
  const std::string asked =
      options.file_given->count() == 0 ? options.prompt : act::io::read_text_file(options.prompt_file).text;

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::runtime::model_calibration calibration = calibration_for(loaded.model, options, heads);
  if (!questions.empty()) {
    run_mt_bench(app, options, clock, questions, loaded, calibration);
    return;
  }
  const act::runtime::chat_template* format = nullptr;
  std::string text = asked;
  if (options.chat || !options.chat_template.empty()) {
    format = &begin_chat(by, options);
    std::vector<act::runtime::chat_turn> turns = opening(options);
    turns.push_back({act::runtime::chat_role::user, asked});
    text = act::runtime::render(*format, turns);
  }
  const std::vector<act::runtime::token_id> prompt = by.encode(text, format == nullptr);

  using seconds = std::chrono::duration<double>;
  const auto start = std::chrono::steady_clock::now();
  double first = 0;  // seconds to the first token
  act::runtime::generation made;
  try {
    made = act::runtime::generate(loaded.model, by, prompt, calibration, options.generation,
                                  [&](std::string_view piece) {
                                    if (first == 0)
                                      first = seconds(std::chrono::steady_clock::now() - start).count();
                                    std::cout << piece << std::flush;
                                    stop_if_interrupted();
                                  });
  } catch (const interrupted&) {
    std::cout << std::endl;
    throw;
  }
  std::cout << std::endl;
  const double decoding = seconds(std::chrono::steady_clock::now() - start).count() - first;
  if (options.common.json.empty()) return;

  nlohmann::ordered_json document{{"text", made.text},
                                  {"tokens", made.tokens},
                                  {"end", act::tasks::name_of(made.end)},
                                  {"prompt", asked},
                                  {"prompt_tokens", prompt}};
  add_calibrated_model(document, calibration, act::runtime::identity_of(loaded.model));
  if (format != nullptr) document["chat_template"] = format->name;
  document["seconds_to_first_token"] = first;
  if (made.tokens.size() > 1 && decoding > 0) {
    document["tokens_per_second"] = static_cast<double>(made.tokens.size() - 1) / decoding;
  }
  write_result(options.common.json, std::move(document), app, clock);
}

}  // namespace

int act_generate(int count, char** arguments) {
  CLI::App app{"Text from a model, plain or with calibrated heads, as it comes.", "act-generate"};
  generate_options options;
  declare(app, options);
  return main_of(app, count, arguments, [&] { run(app, options); });
}
