// The template that a model carries, run as transformers' apply_chat_template runs it: the language is
// jinja/parse.hpp's, what it can see is the conversation and the model's special tokens.
#pragma once

#include <act/runtime/conversation.hpp>

#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

class own_chat_template {
 public:
  /// `special_tokens`: what the template calls bos_token and the like, and how they are spelt. `source`
  /// prefixes errors. Throws `error` (unsupported, invalid_input) for a template that can't be read, ending
  /// with `mend` or, without one, with the formats there are by name.
  own_chat_template(std::string_view jinja, std::vector<std::pair<std::string, std::string>> special_tokens,
                    std::string source, std::string mend = {});
  own_chat_template(own_chat_template&&) noexcept;
  own_chat_template& operator=(own_chat_template&&) noexcept;
  ~own_chat_template();

  /// The conversation as the template writes it, ready for its answer; `now` is for templates that write the
  /// date. Throws `error` (unsupported, invalid_input) as jinja/render.hpp, where the template refuses the
  /// conversation, and where it leaves out a system text or the last turn, which would be asked about
  /// nothing.
  [[nodiscard]] written_conversation render(std::span<const chat_turn> turns,
                                            std::time_t now = std::time(nullptr)) const;

  /// What the template writes behind an assistant's text: its end token is among that. Nothing for a template
  /// that can't write a conversation that ends with an answer.
  [[nodiscard]] std::string behind_answer() const;

 private:
  struct contents;
  std::unique_ptr<contents> has_;
};

}  // namespace act::runtime
