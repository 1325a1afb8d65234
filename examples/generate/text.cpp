#include "generate/text.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/mt_bench.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/aloud.hpp"
#include "generate/options.hpp"
#include "programs/chat.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

// What a conversation begins with: the system text, if one was given.
std::vector<act::runtime::chat_turn> opening(const generate_options& options) {
  if (options.system_given.count() == 0) return {};
  return {{act::runtime::chat_role::system, options.system}};
}

}  // namespace

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
    std::vector<act::runtime::chat_turn> turns = opening(options);
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

namespace {

struct conversation {
  std::vector<std::string> answers;
  std::size_t made_tokens = 0;
  bool too_long = false;  ///< a turn didn't fit the model's context
};

// The answers to a question's turns, one after the other.
conversation converse(const act::tasks::mt_bench_question& question, const chat& format,
                      const act::runtime::loaded_model& loaded,
                      const act::runtime::model_calibration& calibration, const generate_options& options) {
  conversation made;
  act::runtime::generation_options how = options.generation;
  how.still_wanted = stop_if_interrupted;
  if (options.category_temperatures)
    how.sampling.temperature = act::tasks::mt_bench_temperature(question.category);
  std::vector<act::runtime::chat_turn> turns = opening(options);
  for (const std::string& asked : question.turns) {
    turns.push_back({act::runtime::chat_role::user, asked});
    const std::vector<act::runtime::token_id> prompt = format.prompt(turns);
    if (!how.cache.evicts() && prompt.size() >= loaded.model.config.context) {
      made.too_long = true;
      made.answers.emplace_back(act::tasks::mt_bench_no_answer);
    } else {
      const act::runtime::generation generated = act::runtime::generate(
          loaded.model, *loaded.tokenizer, prompt, calibration, how, [](std::string_view) {});
      made.made_tokens += generated.tokens.size();
      made.answers.emplace_back(act::runtime::trimmed(generated.text));
    }
    turns.push_back({act::runtime::chat_role::assistant, made.answers.back()});
  }
  return made;
}

// An answer file that grows by a line; it is whole after each. What can't be replaced gets the line alone.
class answer_file {
 public:
  explicit answer_file(std::string path)
      : path_(std::move(path)), in_place_(act::io::write_target_of(path_).in_place) {}

  void add(const std::string& line) {
    lines_ = (in_place_ ? std::string() : std::move(lines_)) + line + "\n";
    act::io::write_file(path_, lines_);
  }

 private:
  std::string path_;
  std::string lines_;
  bool in_place_;
};

}  // namespace

void answer_mt_bench(const command_line& line, generate_options& options,
                     const act::report::provenance_clock& clock,
                     const std::vector<act::tasks::mt_bench_question>& questions,
                     const act::runtime::loaded_model& loaded,
                     const act::runtime::model_calibration& calibration) {
  const chat format(*loaded.tokenizer, options.common.model, options.chat_template);
  if (format.end()) options.generation.end_tokens.push_back(*format.end());
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  const std::string name =
      act::tasks::mt_bench_model_id(options.common.model) + (calibration.heads.empty() ? "" : "-act");
  answer_file answers(options.answers);
  std::size_t made_tokens = 0;
  std::vector<std::uint64_t> too_long;
  act::report::progress progress("answering", questions.size(), options.common.quiet);
  for (const act::tasks::mt_bench_question& question : questions) {
    const conversation made = converse(question, format, loaded, calibration, options);
    made_tokens += made.made_tokens;
    if (made.too_long) too_long.push_back(question.id);
    act::io::sha256 digest;
    digest.update(identity.fingerprint + " " + name + " " + std::to_string(question.id) + " " +
                  std::to_string(options.generation.sampling.seed));
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    answers.add(
        act::tasks::mt_bench_answer_line(question, made.answers, name, digest.hex().substr(0, 22), now));
    progress.advance(1);
  }
  std::cout << questions.size() << " questions answered in " << options.answers << '\n';
  if (!too_long.empty()) {
    std::cout << too_long.size() << " of them with " << act::tasks::mt_bench_no_answer
              << " where the conversation fills the model's context of " << loaded.model.config.context
              << " tokens:";
    for (const std::uint64_t id : too_long)
      std::cout << ' ' << id;
    std::cout << '\n';
  }
  if (options.common.json.empty()) return;
  act::io::json_document document = act::io::json_document::object({{"questions", questions.size()},
                                                                    {"answers", options.answers},
                                                                    {"model_id", name},
                                                                    {"tokens", made_tokens},
                                                                    {"too_long", too_long},
                                                                    {"chat_template", format.name()}});
  add_calibrated_model(document, calibration, identity);
  write_result(options.common.json, std::move(document), line, clock);
}

}  // namespace act_program
