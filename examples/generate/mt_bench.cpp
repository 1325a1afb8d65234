#include "generate/mt_bench.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/tasks/mt_bench.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/options.hpp"
#include "programs/chat.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

using act::tasks::mt_bench_question;

struct conversation {
  std::vector<std::string> answers;
  std::size_t made_tokens = 0;
};

double temperature_for(const mt_bench_question& question, const generate_options& options) {
  return options.category_temperatures ? act::tasks::mt_bench_temperature(question.category)
                                       : options.generation.sampling.temperature;
}

// The answers to a question's turns, one after the other.
conversation converse(const mt_bench_question& question, const chat& format,
                      const act::runtime::loaded_model& loaded,
                      const act::runtime::model_calibration& calibration, const generate_options& options) {
  conversation made;
  act::runtime::generation_options how = options.generation;
  how.still_wanted = stop_if_interrupted;
  how.sampling.temperature = temperature_for(question, options);
  std::vector<act::runtime::chat_turn> turns = options.opening();
  for (const std::string& asked : question.turns) {
    turns.push_back({act::runtime::chat_role::user, asked});
    const std::vector<act::runtime::token_id> prompt = format.prompt(turns);
    if (!how.cache.evicts() && prompt.size() >= loaded.model.config.context) {
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

// A name for all that the answers to a question depend on: who has it was asked the same in the same way.
std::string answer_id(const mt_bench_question& question, const chat& format, const std::string& model_id,
                      const act::runtime::model_identity& identity,
                      const act::runtime::model_calibration& calibration, const generate_options& options) {
  const act::runtime::generation_options& how = options.generation;
  std::vector<act::runtime::chat_turn> turns = options.opening();
  turns.push_back({act::runtime::chat_role::user, question.turns.front()});
  act::io::json_document of =
      act::io::json_document::object({{"model_id", model_id},
                                      {"question_id", question.id},
                                      {"turns", question.turns},
                                      {"chat_template", format.name()},
                                      {"prompt", format.prompt(turns)},
                                      {"max_new_tokens", how.max_new_tokens},
                                      {"temperature", temperature_for(question, options)},
                                      {"top_k", how.sampling.top_k},
                                      {"top_p", how.sampling.top_p},
                                      {"seed", how.sampling.seed},
                                      {"stops", how.stops},
                                      {"cache", act::runtime::text_of(how.cache)},
                                      {"cache_type", name_of(how.stored)}});
  if (!options.cache_text.empty()) of.set("cache_text", act::io::sha256_of_file(options.cache_text));
  add_calibrated_model(of, calibration, identity);
  return act::io::sha256().update(of.text()).hex().substr(0, 22);
}

// The answers so far, in the questions' order, in a file that is whole after each. What can't be replaced
// gets each new line alone, and isn't read.
class answer_file {
 public:
  answer_file(std::string path, const std::vector<mt_bench_question>& questions,
              const std::vector<std::string>& ids)
      : path_(std::move(path)),
        in_place_(act::io::write_target_of(path_).in_place),
        lines_(questions.size()),
        errors_(questions.size()) {
    if (in_place_ || !std::filesystem::exists(path_)) return;
    for (const act::tasks::mt_bench_answer& each :
         act::tasks::read_mt_bench_answers(act::io::read_text_file(path_))) {
      const auto of = static_cast<std::size_t>(
          std::find_if(questions.begin(), questions.end(),
                       [&](const mt_bench_question& question) { return question.id == each.question; }) -
          questions.begin());
      if (of == questions.size() || ids[of] != each.answer_id) {
        throw act::error(act::error_code::mismatch, path_,
                         "answers question " + std::to_string(each.question) +
                             " by another model, other heads or other options than these; name another file");
      }
      keep(of, each.line, each.turns);
    }
    kept_ = count();
  }

  [[nodiscard]] bool has(std::size_t question) const { return !lines_[question].empty(); }
  /// Of those, so many were there before.
  [[nodiscard]] std::size_t kept() const noexcept { return kept_; }
  [[nodiscard]] bool too_long(std::size_t question) const { return errors_[question]; }

  void add(std::size_t question, const std::string& line, const std::vector<std::string>& answers) {
    keep(question, line, answers);
    std::string text = in_place_ ? line + "\n" : "";
    for (const std::string& each : lines_)
      if (!in_place_ && !each.empty()) text += each + "\n";
    act::io::write_file(path_, text);
  }

 private:
  void keep(std::size_t question, const std::string& line, const std::vector<std::string>& answers) {
    lines_[question] = line;
    errors_[question] =
        std::find(answers.begin(), answers.end(), act::tasks::mt_bench_no_answer) != answers.end();
  }
  [[nodiscard]] std::size_t count() const {
    return lines_.size() - static_cast<std::size_t>(std::count(lines_.begin(), lines_.end(), ""));
  }

  std::string path_;
  bool in_place_;
  std::vector<std::string> lines_;  // of each question; empty: no answer yet
  std::vector<bool> errors_;        // whether a turn of it didn't fit the model's context
  std::size_t kept_ = 0;
};

}  // namespace

void answer_mt_bench(const command_line& line, generate_options& options,
                     const act::report::provenance_clock& clock,
                     const std::vector<mt_bench_question>& questions,
                     const act::runtime::loaded_model& loaded,
                     const act::runtime::model_calibration& calibration) {
  const chat format(*loaded.tokenizer, options.common.model, options.chat_template);
  if (format.end()) options.generation.end_tokens.push_back(*format.end());
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  const std::string name =
      act::tasks::mt_bench_model_id(options.common.model) + (calibration.heads.empty() ? "" : "-act");
  std::vector<std::string> ids;
  for (const mt_bench_question& question : questions)
    ids.push_back(answer_id(question, format, name, identity, calibration, options));
  answer_file answers(options.answers, questions, ids);
  std::size_t made_tokens = 0;
  act::report::progress progress("answering", questions.size(), options.common.quiet, answers.kept());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (answers.has(i)) continue;
    try {
      const conversation made = converse(questions[i], format, loaded, calibration, options);
      made_tokens += made.made_tokens;
      const double now =
          std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
      answers.add(i, act::tasks::mt_bench_answer_line(questions[i], made.answers, name, ids[i], now),
                  made.answers);
    } catch (const interrupted&) {
      throw interrupted("the same command goes on from " + options.answers);
    }
    progress.advance(1);
  }
  std::vector<std::uint64_t> too_long;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (answers.too_long(i)) too_long.push_back(questions[i].id);
  }
  std::cout << questions.size() << " questions answered in " << options.answers;
  if (answers.kept() > 0) std::cout << ", " << answers.kept() << " of them before";
  std::cout << '\n';
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
                                                                    {"answered_before", answers.kept()},
                                                                    {"model_id", name},
                                                                    {"tokens", made_tokens},
                                                                    {"too_long", too_long},
                                                                    {"chat_template", format.name()}});
  add_calibrated_model(document, calibration, identity);
  write_result(options.common.json, std::move(document), line, clock);
}

}  // namespace act_program
