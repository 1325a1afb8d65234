#include "programs/chat.hpp"

#include <act/error.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>
#include <act/runtime/conversation_tokens.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace act_program {

namespace {

using act::runtime::token_id;

// What the template calls bos_token and the like: as the folder says, else as the tokenizer does.
std::vector<std::pair<std::string, std::string>> tokens_for_template(const act::runtime::tokenizer& by,
                                                                     const std::string& model) {
  const auto stored = act::runtime::read_template_tokens(model);
  std::vector<std::pair<std::string, std::string>> tokens;
  for (const auto& [name, text] : stored) {
    if (text) tokens.emplace_back(name, *text);
  }
  const auto add = [&](const std::string& name, const std::optional<token_id>& id) {
    const bool said =
        std::any_of(stored.begin(), stored.end(), [&](const auto& each) { return each.first == name; });
    if (!said && id) tokens.emplace_back(name, by.decode(std::span(&*id, 1)));
  };
  add("bos_token", by.bos());
  add("eos_token", by.eos());
  return tokens;
}

}  // namespace

chat::chat(const act::runtime::tokenizer& by, const std::string& model, const std::string& format,
           const std::string& called)
    : by_(by) {
  if (!format.empty()) {
    named_ = &act::runtime::find_chat_template(format);
    end_ = by.find(named_->end_token);
    if (!end_) {
      throw act::error(act::error_code::mismatch, model,
                       "has no token '" + std::string(named_->end_token) + "', which chat format '" +
                           std::string(named_->name) + "' needs; name another with --chat-template");
    }
  } else {
    const std::optional<std::string> jinja = act::runtime::read_chat_template(model);
    const std::string mend =
        "name the format it was trained on with --chat-template: " + act::runtime::known_chat_templates();
    if (!jinja) throw act::error(act::error_code::unsupported, model, "carries no chat template; " + mend);
    own_.emplace(*jinja, tokens_for_template(by, model), called.empty() ? model : called, mend);
    end_ = act::runtime::first_control_token(by, own_->behind_answer());
  }
}

std::string chat::name() const {
  return named_ != nullptr ? std::string(named_->name) : "own";
}

std::vector<token_id> chat::prompt(std::span<const act::runtime::chat_turn> turns) const {
  return act::runtime::encode_conversation(
      by_, named_ != nullptr ? act::runtime::render(*named_, turns) : own_->render(turns));
}

}  // namespace act_program
