// Any bytes as a model's chat template: refused, or run over a conversation, in bounded time and memory.
#include <act/runtime/conversation.hpp>
#include <act/runtime/own_chat_template.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "one_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using enum act::runtime::chat_role;
  static const std::vector<act::runtime::chat_turn> turns{
      {system, " Be short. "}, {user, "a<b> \u4e2d\n"}, {assistant, "<think>\nx</think>\n\nb"}, {user, "c"}};
  act_test::refused_or_done([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const act::runtime::own_chat_template jinja(text, {{"bos_token", "<s>"}, {"eos_token", "</s>"}}, "fuzz");
    (void)jinja.behind_answer();
    (void)jinja.render(turns, 0);
  });
  return 0;
}
