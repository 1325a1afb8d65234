// What requests for text have in common: how tokens are drawn, where the text ends, how it is sent.
#pragma once

#include <act/runtime/sampling.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace act::serve {

class request_members;

/// What one request may ask for.
struct request_limits {
  std::size_t prompts = 128;      ///< in a list of prompts
  std::size_t new_tokens = 4096;  ///< for each prompt
};

struct generation_request {
  std::optional<std::size_t> max_tokens;  ///< none was given
  runtime::sampling_options sampling = {.temperature = 1};
  std::vector<std::string> stops;
  bool stream = false;
  bool usage_in_stream = false;
};

/// As many stop strings as OpenAI's API takes.
inline constexpr std::size_t stop_limit = 4;

/// Reads max_tokens (under each of the names it has), temperature, top_p, seed, stop, stream and
/// stream_options, and refuses what act-serve has only one value of (n, penalties, ...). A request without a
/// seed gets one that nobody foresees. Throws `refusal`.
[[nodiscard]] generation_request read_generation(request_members& from, const request_limits& limits,
                                                 const std::vector<std::string>& names_of_max_tokens);

}  // namespace act::serve
