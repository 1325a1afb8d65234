#include "generate/chat.hpp"

#include <act/error.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <optional>
#include <string>

#include "generate/options.hpp"

namespace act_program {

namespace {

// The chat format in force: the one that was named, else the model's own.
const act::runtime::chat_template& chat_format(const generate_options& options) {
  if (!options.chat_template.empty()) return act::runtime::find_chat_template(options.chat_template);
  const std::optional<std::string> own = act::runtime::read_chat_template(options.common.model);
  if (!own) {
    throw act::error(act::error_code::unsupported, options.common.model,
                     "carries no chat template; name the format it was trained on with --chat-template");
  }
  return act::runtime::recognise_chat_template(*own, options.common.model);
}

}  // namespace

const act::runtime::chat_template& begin_chat(const act::runtime::tokenizer& by, generate_options& options) {
  const act::runtime::chat_template& format = chat_format(options);
  const auto end = by.find(format.end_token);
  if (!end) {
    throw act::error(act::error_code::mismatch, options.common.model,
                     "has no token '" + std::string(format.end_token) + "', which chat format '" +
                         std::string(format.name) + "' needs; name another with --chat-template");
  }
  options.generation.end_tokens.push_back(*end);
  return format;
}

std::vector<act::runtime::chat_turn> opening(const generate_options& options) {
  if (options.system_given.count() == 0) return {};
  return {{act::runtime::chat_role::system, options.system}};
}

}  // namespace act_program
