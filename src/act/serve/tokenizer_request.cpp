#include <act/io/json_document.hpp>
#include <act/io/json_value.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/request_members.hpp>
#include <act/serve/tokenizer_request.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::serve {

std::string tokenizer_info_body(const runtime::tokenizer& by) {
  const auto spelt = [&](const std::optional<runtime::token_id>& id) {
    return id ? io::json_document(by.decode(std::span(&*id, 1))) : io::json_document();
  };
  return io::json_document::object({{"bos_token", spelt(by.bos())}, {"eos_token", spelt(by.eos())}}).text();
}

std::string tokenize(std::string_view body, const runtime::tokenizer& by, std::size_t context) {
  request_members from(body);
  const std::string text = from.text("prompt");
  const bool special = from.truth("add_special_tokens", true);
  from.without_effect("model");  // all have one tokenizer
  from.refuse_others();
  const std::vector<runtime::token_id> tokens =
      by.encode(text, runtime::special_tokens_in_text::are_tokens, special);
  return io::json_document::object({{"count", tokens.size()}, {"max_model_len", context}, {"tokens", tokens}})
      .text();
}

std::string detokenize(std::string_view body, const runtime::tokenizer& by) {
  request_members from(body);
  const std::optional<io::json_value> list = from.find("tokens");
  from.without_effect("model");
  from.refuse_others();
  if (!list || !list->is_array()) throw refusal("tokens", "tokens: must be a list of token ids");
  std::vector<runtime::token_id> tokens;
  for (const io::json_value& item : list->items()) {
    const std::optional<std::uint64_t> id = item.count();
    if (!id || *id >= by.vocabulary_size())
      throw refusal("tokens", "tokens: must be whole numbers below " + std::to_string(by.vocabulary_size()));
    tokens.push_back(static_cast<runtime::token_id>(*id));
  }
  return io::json_document::object({{"prompt", by.decode(tokens)}}).text();
}

}  // namespace act::serve
