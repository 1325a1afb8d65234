// A generation that is printed while it is made, and timed: what act-generate does once for a prompt, and for
// each answer of a chat.
#pragma once

#include <act/runtime/generate.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::runtime {
struct loaded_model;
struct model_calibration;
}  // namespace act::runtime

namespace act_program {

struct timed_generation {
  act::runtime::generation made;  ///< when `stopped`, of this the text alone
  std::size_t prompt = 0;         ///< tokens of the prompt
  double first = 0;               ///< seconds to the first token
  double decoding = 0;            ///< seconds after that
  bool stopped = false;           ///< Ctrl-C ended it, and that is what the caller wanted to know

  /// Tokens a second after the first; 0 where there is none after it.
  [[nodiscard]] double tokens_per_second() const;
};

/// What happens at Ctrl-C: the program ends, or the text only.
enum class interruption_ends { the_program, the_text };

/// The text goes to standard output while it is made. Throws `interrupted`, unless that ends the text only,
/// and act::error (io) once standard output takes no more.
[[nodiscard]] timed_generation generate_aloud(const act::runtime::loaded_model& loaded,
                                              const std::vector<act::runtime::token_id>& prompt,
                                              const act::runtime::model_calibration& calibration,
                                              const act::runtime::generation_options& options,
                                              interruption_ends at_interruption);

/// "24 tokens, 143 tokens/s; 20 tokens of prompt in 0.02 s".
[[nodiscard]] std::string speed_of(const timed_generation& timed);

}  // namespace act_program
