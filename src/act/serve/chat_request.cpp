#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/serve/chat_request.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/request_members.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace act::serve {
namespace {

runtime::chat_role read_role(const std::string& role, const std::string& where) {
  if (role == "system") return runtime::chat_role::system;
  if (role == "user") return runtime::chat_role::user;
  if (role == "assistant") return runtime::chat_role::assistant;
  throw refusal(where,
                where + ": '" + io::printable(role) + "' isn't supported; system, user and assistant are");
}

// A text, or a list of parts that are texts.
std::string read_content(request_members& message, const std::string& where) {
  const std::optional<io::json_value> content = message.find("content");
  if (!content) throw refusal(where, where + ": is missing");
  if (content->text() != nullptr) return *content->text();
  std::string text;
  if (!content->is_array())
    throw refusal(where, where + ": must be a text, or a list of parts that are texts");
  for (const io::json_value& item : content->items()) {
    request_members part(item, where);
    if (part.text("type") != "text")
      throw refusal(where, where + ": has a part that isn't text; act-serve reads text only");
    text += part.text("text");
    part.refuse_others();
  }
  return text;
}

}  // namespace

chat_request parse_chat_request(std::string_view body, const request_limits& limits) {
  request_members from(body);
  chat_request read;
  read.model = from.text("model");
  const std::optional<io::json_value> messages = from.find("messages");
  if (!messages || !messages->is_array() || messages->size() == 0)
    throw refusal("messages", "messages: must be a list of {\"role\", \"content\"}");
  for (const io::json_value& item : messages->items()) {
    const std::string where = "messages[" + std::to_string(read.turns.size()) + "]";
    request_members message(item, where);
    const runtime::chat_role role = read_role(message.text("role"), where + ".role");
    read.turns.push_back({role, read_content(message, where + ".content")});
    message.refuse_others();
  }
  read.how = read_generation(from, limits, {"max_tokens", "max_completion_tokens"});
  if (from.truth("logprobs", false))
    throw refusal("logprobs", "logprobs: isn't supported for a chat; /v1/completions has them");
  from.only("top_logprobs", 0, "/v1/completions has them");
  from.only_empty("tools", "act-serve calls none");
  if (const auto form = from.find("response_format")) {
    request_members of(*form, "response_format");
    if (of.text("type") != "text")
      throw refusal("response_format", "response_format: can only be text; act-serve forces no form");
    of.refuse_others();
  }
  from.refuse_others();
  return read;
}

}  // namespace act::serve
