#include "generate/mt_bench.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/report/progress.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/chat.hpp"
#include "generate/options.hpp"
#include "programs/interruption.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

struct conversation {
  std::vector<std::string> answers;
  std::size_t made_tokens = 0;
};

// The answers to a question's turns, one after the other.
conversation converse(const act::tasks::mt_bench_question& question,
                      const act::runtime::chat_template& format, const act::runtime::loaded_model& loaded,
                      const act::runtime::model_calibration& calibration, const generate_options& options) {
  conversation made;
  std::vector<act::runtime::chat_turn> turns = opening(options);
  for (const std::string& asked : question.turns) {
    turns.push_back({act::runtime::chat_role::user, asked});
    const std::vector<act::runtime::token_id> prompt =
        loaded.tokenizer->encode(act::runtime::render(format, turns), false);
    if (prompt.size() >= loaded.model.config.context) {
      throw act::error(act::error_code::invalid_input,
                       options.mt_bench + ": question " + std::to_string(question.id),
                       "its conversation fills the model's context; lower --max-new-tokens");
    }
    const act::runtime::generation generated =
        act::runtime::generate(loaded.model, *loaded.tokenizer, prompt, calibration, options.generation,
                               [](std::string_view) { stop_if_interrupted(); });
    made.made_tokens += generated.tokens.size();
    made.answers.emplace_back(act::runtime::trimmed(generated.text));
    turns.push_back({act::runtime::chat_role::assistant, made.answers.back()});
  }
  return made;
}

}  // namespace

void answer_mt_bench(const command_line& line, generate_options& options,
                     const act::report::provenance_clock& clock,
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
    const conversation made = converse(question, format, loaded, calibration, options);
    made_tokens += made.made_tokens;
    act::io::sha256 digest;
    digest.update(identity.fingerprint + " " + name + " " + std::to_string(question.id) + " " +
                  std::to_string(options.generation.sampling.seed));
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    lines += act::tasks::mt_bench_answer_line(question, made.answers, name, digest.hex().substr(0, 22), now) +
             "\n";
    act::io::write_file(options.answers, lines);
    progress.advance(1);
  }
  std::cout << questions.size() << " questions answered in " << options.answers << '\n';
  if (options.common.json.empty()) return;
  act::io::json_document document = act::io::json_document::object({{"questions", questions.size()},
                                                                    {"answers", options.answers},
                                                                    {"model_id", name},
                                                                    {"tokens", made_tokens},
                                                                    {"chat_template", format.name}});
  add_calibrated_model(document, calibration, identity);
  write_result(options.common.json, std::move(document), line, clock);
}

}  // namespace act_program
