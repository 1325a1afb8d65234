#include <act/error.hpp>
#include <act/runtime/chat_template.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {
namespace {

std::string known_chat_templates() {
  std::string list;
  for (const chat_template& each : all_chat_templates())
    list += (list.empty() ? "" : ", ") + std::string(each.name);
  return list;
}

constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Jinja without the white space that means nothing (outside quotes), line breaks in quotes spelt \n.
std::string condensed_jinja(std::string_view text) {
  std::string result;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_space(c)) continue;
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (quote != 0 && c == '\\' && i + 1 < text.size()) {
      result += c;
      result += text[++i];
      continue;
    }
    if (quote != 0 && c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

// What a template prints, in order: its {{ }} but for refusals of impossible conversations. Nothing when text
// stands outside of tags, or a tag isn't closed: no template act knows has that.
std::optional<std::vector<std::string>> jinja_prints(std::string_view text) {
  std::vector<std::string> prints;
  std::size_t at = 0;
  while (at < text.size()) {
    const bool print = text.substr(at).starts_with("{{");
    if (!print && !text.substr(at).starts_with("{%")) return std::nullopt;
    const std::size_t end = text.find(print ? "}}" : "%}", at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string inner = condensed_jinja(text.substr(at + 2, end - at - 2));
    if (print && !inner.starts_with("raise_exception(")) prints.push_back(inner);
    at = end + 2;
  }
  return prints;
}

}  // namespace

std::span<const chat_template> all_chat_templates() {
  static constexpr std::array<chat_template, 5> known{{
      {.name = "smollm2",
       .description = "ChatML with SmolLM2's own system text",
       .begin = {},
       .default_system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face",
       .before_system = "<|im_start|>system\n",
       .after_system = "<|im_end|>\n",
       .before_user = "<|im_start|>user\n",
       .after_user = "<|im_end|>\n",
       .before_assistant = "<|im_start|>assistant\n",
       .after_assistant = "<|im_end|>\n",
       .cue = "<|im_start|>assistant\n",
       .end_token = "<|im_end|>",
       .prints =
           {R"('<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n')",
            R"('<|im_start|>'+message['role']+'\n'+message['content']+'<|im_end|>'+'\n')",
            R"('<|im_start|>assistant\n')"},
       .holds = "messages[0]['role']!='system'"},
      {.name = "llama2",
       .description = "Llama-2-chat",
       .begin = {},
       .default_system = {},
       .system_in_first_turn = true,
       .trims = true,
       .before_system = "<<SYS>>\n",
       .after_system = "\n<</SYS>>\n\n",
       .before_user = "<s>[INST] ",
       .after_user = " [/INST]",
       .before_assistant = " ",
       .after_assistant = " </s>",
       .end_token = "</s>",
       .prints = {R"(bos_token+'[INST] '+content.strip()+' [/INST]')",
                  R"(' '+content.strip()+' '+eos_token)"},
       .holds = R"('<<SYS>>\n'+system_message+'\n<</SYS>>\n\n'+message['content'])"},
      {.name = "vicuna",
       .description = "Vicuna 1.1 and 1.5, as FastChat writes it",
       .begin = "<s>",
       .default_system =
           "A chat between a curious user and an artificial intelligence assistant. The assistant "
           "gives helpful, detailed, and polite answers to the user's questions.",
       .before_system = {},
       .after_system = " ",
       .before_user = "USER: ",
       .after_user = " ",
       .before_assistant = "ASSISTANT: ",
       .after_assistant = "</s>",
       .cue = "ASSISTANT:",
       .end_token = "</s>"},
      {.name = "mistral",
       .description = "Mistral-7B-Instruct-v0.2",
       .begin = "<s>",
       .default_system = {},
       .takes_system = false,
       .before_user = "[INST] ",
       .after_user = " [/INST]",
       .before_assistant = {},
       .after_assistant = "</s>",
       .end_token = "</s>",
       .prints = {"bos_token", R"('[INST] '+message['content']+' [/INST]')",
                  R"(message['content']+eos_token)"}},
      {.name = "mistral-v0.1",
       .description = "Mistral-7B-Instruct-v0.1: a space behind each answer",
       .begin = "<s>",
       .default_system = {},
       .takes_system = false,
       .before_user = "[INST] ",
       .after_user = " [/INST]",
       .before_assistant = {},
       .after_assistant = "</s> ",
       .end_token = "</s>",
       .prints = {"bos_token", R"('[INST] '+message['content']+' [/INST]')",
                  R"(message['content']+eos_token+' ')"}},
  }};
  return known;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

const chat_template& find_chat_template(std::string_view name) {
  for (const chat_template& each : all_chat_templates()) {
    if (each.name == name) return each;
  }
  throw error(error_code::invalid_option, "chat template",
              "'" + std::string(name) + "' is none of " + known_chat_templates());
}

const chat_template& recognise_chat_template(std::string_view jinja, const std::string& source) {
  const std::optional<std::vector<std::string>> prints = jinja_prints(jinja);
  const std::string whole = condensed_jinja(jinja);
  for (const chat_template& each : all_chat_templates()) {
    const auto end = std::find(each.prints.begin(), each.prints.end(), std::string_view{});
    if (prints && end != each.prints.begin() &&
        std::equal(each.prints.begin(), end, prints->begin(), prints->end()) &&
        whole.find(each.holds) != std::string::npos) {
      return each;
    }
  }
  throw error(error_code::unsupported, source,
              "has a chat template that act doesn't know; name the format it was trained on: " +
                  known_chat_templates());
}

std::string render(const chat_template& format, std::span<const chat_turn> turns) {
  const bool has_system = !turns.empty() && turns.front().role == chat_role::system;
  if (has_system && !format.takes_system) {
    throw error(
        error_code::invalid_input, "conversation",
        "chat format '" + std::string(format.name) + "' has no system text; put it into the first turn");
  }
  const std::span<const chat_turn> rest = turns.subspan(has_system ? 1 : 0);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i].role != (i % 2 == 0 ? chat_role::user : chat_role::assistant) || rest.size() % 2 == 0) {
      throw error(error_code::invalid_input, "conversation",
                  "user and assistant must take turns, the user first and last");
    }
  }
  if (rest.empty()) throw error(error_code::invalid_input, "conversation", "has no user turn; add one");

  const std::string system_text(has_system ? std::string_view(turns.front().text) : format.default_system);
  std::string system;
  if (has_system || !format.default_system.empty()) {
    system = std::string(format.before_system) + system_text + std::string(format.after_system);
  }
  std::string text(format.begin);
  if (!format.system_in_first_turn) text += system;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool user = rest[i].role == chat_role::user;
    std::string content = rest[i].text;
    if (i == 0 && format.system_in_first_turn) content = system + content;
    if (format.trims) content = std::string(trimmed(content));
    text += user ? format.before_user : format.before_assistant;
    text += content;
    text += user ? format.after_user : format.after_assistant;
  }
  text += format.cue;
  return text;
}

}  // namespace act::runtime
