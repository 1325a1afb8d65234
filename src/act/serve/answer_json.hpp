// Answers as OpenAI's API writes them: whole bodies, and the events of a stream.
#pragma once

#include <act/io/json_document.hpp>
#include <act/serve/completion.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::serve {

/// What every part of an answer says of it.
struct answer_heading {
  std::string id;
  std::string model;
  std::int64_t created = 0;  ///< seconds since 1970
};

enum class answer_kind { text, chat };

/// One prompt's part of an answer; `echoed` goes before its text.
struct answered_prompt {
  std::string echoed;
  completion made;
};

/// The body of a whole answer, on one line: a choice for each prompt, log-probabilities where `logprobs`, and
/// what was counted.
[[nodiscard]] std::string answer_body(answer_kind kind, const answer_heading& heading,
                                      std::span<const answered_prompt> answers, bool logprobs);

/// Events of a stream: "data: JSON" and an empty line. The first of a chat says whose words follow.
[[nodiscard]] std::string first_event(const answer_heading& heading);
[[nodiscard]] std::string text_event(answer_kind kind, const answer_heading& heading, std::string_view text);
/// The last ones: why the text ends, with `usage` what was counted, and [DONE].
[[nodiscard]] std::string last_events(answer_kind kind, const answer_heading& heading, const completion& made,
                                      bool usage);
/// A stream that broke off: the body of a refusal, and no [DONE].
[[nodiscard]] std::string error_event(std::string_view body);

/// {"object": "list", "data": [...]}: a model for each name.
[[nodiscard]] std::string models_body(const std::vector<std::string>& names, std::int64_t created);

}  // namespace act::serve
