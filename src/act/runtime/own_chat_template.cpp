#include <act/error.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/jinja/parse.hpp>
#include <act/runtime/jinja/render.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>
#include <act/runtime/own_chat_template.hpp>

#include <cstddef>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

namespace {

struct role_name {
  std::string_view name;
  char mark;  ///< of its texts' bytes in what is written
};

role_name name_of(chat_role role) noexcept {
  switch (role) {
    case chat_role::system:
      return {"system", 's'};
    case chat_role::assistant:
      return {"assistant", 'a'};
    case chat_role::user:
      break;
  }
  return {"user", 'u'};
}

}  // namespace

struct own_chat_template::contents {
  jinja::body parsed;
  std::vector<std::pair<std::string, std::string>> special_tokens;
  std::string source;
  std::string mend;

  [[nodiscard]] jinja::marked_text write(std::span<const chat_turn> turns, bool asks, std::time_t now) const {
    using jinja::value;
    std::vector<value> messages;
    for (const chat_turn& each : turns) {
      const role_name role = name_of(each.role);
      messages.push_back(
          value::dict({{"role", value::text(role.name)}, {"content", value::text(each.text, role.mark)}}));
    }
    jinja::environment with;
    with.now = now;
    with.variables = {{"messages", value::list(std::move(messages))},
                      {"add_generation_prompt", asks},
                      {"tools", jinja::none{}},
                      {"documents", jinja::none{}}};
    for (const auto& [name, text] : special_tokens)
      with.variables.emplace_back(name, value::text(text));
    return jinja::render(parsed, with, source, mend);
  }
};

own_chat_template::own_chat_template(std::string_view jinja,
                                     std::vector<std::pair<std::string, std::string>> special_tokens,
                                     std::string source, std::string mend) {
  if (mend.empty()) mend = "name the format it was trained on: " + known_chat_templates();
  jinja::body parsed = jinja::parse(jinja, source, mend);
  has_ = std::make_unique<contents>(
      contents{std::move(parsed), std::move(special_tokens), std::move(source), std::move(mend)});
}

own_chat_template::own_chat_template(own_chat_template&&) noexcept = default;
own_chat_template& own_chat_template::operator=(own_chat_template&&) noexcept = default;
own_chat_template::~own_chat_template() = default;

written_conversation own_chat_template::render(std::span<const chat_turn> turns, std::time_t now) const {
  const jinja::marked_text text = has_->write(turns, true, now);
  const auto check_written = [&](const chat_turn& turn, const std::string& what) {
    if (trimmed(turn.text).empty() || text.from.find(name_of(turn.role).mark) != std::string::npos) return;
    throw error(error_code::unsupported, has_->source + ": chat template",
                "leaves out " + what + "; " + has_->mend);
  };
  if (!turns.empty()) {
    if (turns.front().role == chat_role::system) check_written(turns.front(), "the system text");
    check_written(turns.back(), "the last turn");
  }
  written_conversation written;
  for (std::size_t at = 0; at < text.bytes.size();) {
    const bool format = text.from[at] == jinja::marked_text::from_template;
    std::size_t end = at + 1;
    while (end < text.bytes.size() && (text.from[end] == jinja::marked_text::from_template) == format)
      ++end;
    const std::string_view stretch = std::string_view(text.bytes).substr(at, end - at);
    format ? written.append_format(stretch) : written.append_message(stretch);
    at = end;
  }
  return written;
}

std::string own_chat_template::behind_answer() const {
  const chat_turn conversation[] = {{chat_role::user, "a"}, {chat_role::assistant, "b"}};
  try {
    const jinja::marked_text text = has_->write(conversation, false, 0);
    const std::size_t last = text.from.rfind(name_of(chat_role::assistant).mark);
    return last == std::string::npos ? std::string() : text.bytes.substr(last + 1);
  } catch (const error&) {
    return {};
  }
}

}  // namespace act::runtime
