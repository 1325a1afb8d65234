// How a program writes a conversation: in the format that was named, else by the model's own template.
#pragma once

#include <act/runtime/conversation.hpp>
#include <act/runtime/own_chat_template.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {
struct chat_template;
}

namespace act_program {

class chat {
 public:
  /// `model`: the path of the model, `format` a format's name or empty. `by` must outlive this. Throws
  /// act::error for a model without a template (unsupported), a template that can't be run, and a named
  /// format whose end token the tokenizer doesn't have.
  /// Errors about conversations call the model `called`; empty: by its path.
  chat(const act::runtime::tokenizer& by, const std::string& model, const std::string& format,
       const std::string& called = {});

  /// What ends an answer, beside the tokenizer's own ends of a text.
  [[nodiscard]] std::optional<act::runtime::token_id> end() const noexcept { return end_; }

  /// As results record it: a format's name, or "own".
  [[nodiscard]] std::string name() const;

  /// The ids of a conversation, ready for its answer. Throws act::error for one that the format can't write.
  [[nodiscard]] std::vector<act::runtime::token_id> prompt(
      std::span<const act::runtime::chat_turn> turns) const;

 private:
  const act::runtime::tokenizer& by_;
  const act::runtime::chat_template* named_ = nullptr;
  std::optional<act::runtime::own_chat_template> own_;
  std::optional<act::runtime::token_id> end_;
};

}  // namespace act_program
