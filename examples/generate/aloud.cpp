#include "generate/aloud.hpp"

#include <act/report/number_text.hpp>
#include <act/runtime/load_model.hpp>

#include <chrono>
#include <iostream>
#include <string_view>

#include "programs/program.hpp"

namespace act_program {

double timed_generation::tokens_per_second() const {
  return made.tokens.size() > 1 && decoding > 0 ? static_cast<double>(made.tokens.size() - 1) / decoding : 0;
}

timed_generation generate_aloud(const act::runtime::loaded_model& loaded,
                                const std::vector<act::runtime::token_id>& prompt,
                                const act::runtime::model_calibration& calibration,
                                const act::runtime::generation_options& options,
                                interruption_ends at_interruption) {
  using seconds = std::chrono::duration<double>;
  const auto start = std::chrono::steady_clock::now();
  timed_generation timed;
  timed.prompt = prompt.size();
  act::runtime::generation_options how = options;
  how.still_wanted = stop_if_interrupted;
  std::string text;
  try {
    timed.made = act::runtime::generate(
        loaded.model, *loaded.tokenizer, prompt, calibration, how, [&](std::string_view piece) {
          if (timed.first == 0) timed.first = seconds(std::chrono::steady_clock::now() - start).count();
          std::cout << piece << std::flush;
          stop_if_not_printed();
          text += piece;
        });
  } catch (const interrupted&) {
    std::cout << std::endl;
    if (at_interruption == interruption_ends::the_program) throw;
    timed.stopped = true;
    timed.made.text = text;
    return timed;
  }
  std::cout << std::endl;
  timed.decoding = seconds(std::chrono::steady_clock::now() - start).count() - timed.first;
  return timed;
}

std::string speed_of(const timed_generation& timed) {
  std::string text = std::to_string(timed.made.tokens.size()) + " tokens";
  if (const double rate = timed.tokens_per_second(); rate > 0)
    text += ", " + act::report::formatted(rate < 10 ? "%.2g tokens/s" : "%.0f tokens/s", rate);
  return text + "; " + std::to_string(timed.prompt) + " tokens of prompt in " +
         act::report::formatted("%.2g s", timed.first);
}

}  // namespace act_program
