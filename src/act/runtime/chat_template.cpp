#include <act/error.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/jinja/white_space.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace act::runtime {
std::span<const chat_template> all_chat_templates() {
  static constexpr std::array<chat_template, 11> known{{
      {.name = "chatml",
       .description = "plain ChatML, as OpenHermes has it",
       .before_system = "<|im_start|>system\n",
       .after_system = "<|im_end|>\n",
       .before_user = "<|im_start|>user\n",
       .after_user = "<|im_end|>\n",
       .before_assistant = "<|im_start|>assistant\n",
       .after_assistant = "<|im_end|>\n",
       .cue = "<|im_start|>assistant\n",
       .end_token = "<|im_end|>"},
      {.name = "qwen2.5",
       .description = "ChatML with Qwen2.5-Instruct's own system text",
       .default_system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
       .before_system = "<|im_start|>system\n",
       .after_system = "<|im_end|>\n",
       .before_user = "<|im_start|>user\n",
       .after_user = "<|im_end|>\n",
       .before_assistant = "<|im_start|>assistant\n",
       .after_assistant = "<|im_end|>\n",
       .cue = "<|im_start|>assistant\n",
       .end_token = "<|im_end|>"},
      {.name = "smollm2",
       .description = "ChatML with SmolLM2's own system text",
       .default_system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face",
       .before_system = "<|im_start|>system\n",
       .after_system = "<|im_end|>\n",
       .before_user = "<|im_start|>user\n",
       .after_user = "<|im_end|>\n",
       .before_assistant = "<|im_start|>assistant\n",
       .after_assistant = "<|im_end|>\n",
       .cue = "<|im_start|>assistant\n",
       .end_token = "<|im_end|>"},
      {.name = "llama2",
       .description = "Llama-2-chat",
       .system_in_first_turn = true,
       .trims = true,
       .before_system = "<<SYS>>\n",
       .after_system = "\n<</SYS>>\n\n",
       .before_user = "<s>[INST] ",
       .after_user = " [/INST]",
       .before_assistant = " ",
       .after_assistant = " </s>",
       .end_token = "</s>"},
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
       .takes_system = false,
       .before_user = "[INST] ",
       .after_user = " [/INST]",
       .before_assistant = {},
       .after_assistant = "</s>",
       .end_token = "</s>"},
      {.name = "mistral-v0.1",
       .description = "Mistral-7B-Instruct-v0.1: a space behind each answer",
       .begin = "<s>",
       .takes_system = false,
       .before_user = "[INST] ",
       .after_user = " [/INST]",
       .before_assistant = {},
       .after_assistant = "</s> ",
       .end_token = "</s>"},
      {.name = "llama3",
       .description = "Llama-3-Instruct (3.1 and later put a date into the system text; this doesn't)",
       .begin = "<|begin_of_text|>",
       .trims = true,
       .before_system = "<|start_header_id|>system<|end_header_id|>\n\n",
       .after_system = "<|eot_id|>",
       .before_user = "<|start_header_id|>user<|end_header_id|>\n\n",
       .after_user = "<|eot_id|>",
       .before_assistant = "<|start_header_id|>assistant<|end_header_id|>\n\n",
       .after_assistant = "<|eot_id|>",
       .cue = "<|start_header_id|>assistant<|end_header_id|>\n\n",
       .end_token = "<|eot_id|>"},
      {.name = "gemma",
       .description = "Gemma and Gemma 2, instruction-tuned",
       .begin = "<bos>",
       .takes_system = false,
       .trims = true,
       .before_user = "<start_of_turn>user\n",
       .after_user = "<end_of_turn>\n",
       .before_assistant = "<start_of_turn>model\n",
       .after_assistant = "<end_of_turn>\n",
       .cue = "<start_of_turn>model\n",
       .end_token = "<end_of_turn>"},
      {.name = "phi3",
       .description = "Phi-3-mini-instruct",
       .before_system = "<|system|>\n",
       .after_system = "<|end|>\n",
       .before_user = "<|user|>\n",
       .after_user = "<|end|>\n",
       .before_assistant = "<|assistant|>\n",
       .after_assistant = "<|end|>\n",
       .cue = "<|assistant|>\n",
       .end_token = "<|end|>"},
      {.name = "zephyr",
       .description = "Zephyr-7B",
       .before_system = "<|system|>\n",
       .after_system = "</s>\n",
       .before_user = "<|user|>\n",
       .after_user = "</s>\n",
       .before_assistant = "<|assistant|>\n",
       .after_assistant = "</s>\n",
       .cue = "<|assistant|>\n",
       .end_token = "</s>"},
  }};
  return known;
}

std::string known_chat_templates() {
  std::string list;
  for (const chat_template& each : all_chat_templates())
    list += (list.empty() ? "" : ", ") + std::string(each.name);
  return list;
}

std::string_view trimmed(std::string_view text) noexcept {
  text.remove_prefix(jinja::white_space_before(text));
  text.remove_suffix(jinja::white_space_behind(text));
  return text;
}

const chat_template& find_chat_template(std::string_view name) {
  for (const chat_template& each : all_chat_templates()) {
    if (each.name == name) return each;
  }
  throw error(error_code::invalid_option, "chat template",
              "'" + std::string(name) + "' is none of " + known_chat_templates());
}

written_conversation render(const chat_template& format, std::span<const chat_turn> turns) {
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

  written_conversation written;
  const auto write_system = [&] {
    if (!has_system && format.default_system.empty()) return false;
    const bool trims = format.trims && !format.system_in_first_turn;
    written.append_format(format.before_system);
    if (has_system) {
      written.append_message(trims ? trimmed(turns.front().text) : std::string_view(turns.front().text));
    } else {
      written.append_format(format.default_system);
    }
    written.append_format(format.after_system);
    return true;
  };
  written.append_format(format.begin);
  if (!format.system_in_first_turn) write_system();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool user = rest[i].role == chat_role::user;
    std::string_view content = rest[i].text;
    written.append_format(user ? format.before_user : format.before_assistant);
    if (i == 0 && format.system_in_first_turn && write_system()) {
      // Trimmed are both as one, and the system text's mark isn't white space.
      content.remove_suffix(format.trims ? jinja::white_space_behind(content) : 0);
      if (content.empty() && format.trims)
        written.text.resize(written.text.size() - jinja::white_space_behind(written.text));
    } else if (format.trims) {
      content = trimmed(content);
    }
    written.append_message(content);
    written.append_format(user ? format.after_user : format.after_assistant);
  }
  written.append_format(format.cue);
  return written;
}

}  // namespace act::runtime
