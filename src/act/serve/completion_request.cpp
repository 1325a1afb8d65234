#include <act/io/json_value.hpp>
#include <act/serve/completion_request.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/request_members.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::serve {
namespace {

[[noreturn]] void refuse_prompt(const std::string& why) {
  throw refusal("prompt", "prompt: " + why);
}

std::optional<runtime::token_id> read_token(const io::json_value& value) {
  const std::optional<std::uint64_t> id = value.count();
  if (!id) return std::nullopt;
  if (*id > static_cast<std::uint64_t>(std::numeric_limits<runtime::token_id>::max()))
    refuse_prompt("has a token id outside the vocabulary");
  return static_cast<runtime::token_id>(*id);
}

std::vector<runtime::token_id> read_tokens(const io::json_value& list) {
  std::vector<runtime::token_id> tokens;
  tokens.reserve(list.size());
  for (const io::json_value& item : list.items()) {
    const std::optional<runtime::token_id> id = read_token(item);
    if (!id) refuse_prompt("must hold token ids (whole numbers) only, or texts only");
    tokens.push_back(*id);
  }
  if (tokens.empty()) refuse_prompt("has no tokens");
  return tokens;
}

std::vector<completion_prompt> read_prompts(request_members& from, const request_limits& limits) {
  const std::optional<io::json_value> prompt = from.find("prompt");
  if (!prompt) refuse_prompt("is missing");
  if (prompt->text() != nullptr) return {*prompt->text()};
  if (!prompt->is_array())
    refuse_prompt("must be a text, a list of texts, token ids, or a list of such lists");
  if (prompt->size() == 0) refuse_prompt("is an empty list");
  if ((*prompt)[0].count()) return {read_tokens(*prompt)};
  if (prompt->size() > limits.prompts)
    refuse_prompt("has " + std::to_string(prompt->size()) + " prompts; send at most " +
                  std::to_string(limits.prompts));
  std::vector<completion_prompt> prompts;
  const bool texts = (*prompt)[0].text() != nullptr;
  for (const io::json_value& item : prompt->items()) {
    if (texts != (item.text() != nullptr) || (!texts && !item.is_array()))
      refuse_prompt("must be a text, a list of texts, token ids, or a list of such lists");
    if (texts) {
      prompts.emplace_back(*item.text());
    } else {
      prompts.emplace_back(read_tokens(item));
    }
  }
  return prompts;
}

}  // namespace

completion_request parse_completion_request(std::string_view body, const request_limits& limits) {
  request_members from(body);
  completion_request read;
  read.model = from.text("model");
  read.prompts = read_prompts(from, limits);
  read.echo = from.truth("echo", false);
  if (const auto count = from.count("logprobs", 0, logprobs_limit))
    read.logprobs = static_cast<std::size_t>(*count);
  read.how = read_generation(from, limits, {"max_tokens"});
  from.only("best_of", 1, "act-serve makes one text a prompt");
  from.only_empty("suffix", "act-serve continues texts at their end");
  from.refuse_others();
  if (read.how.stream) {
    const auto alone = [&](bool asked, const std::string& name) {
      if (asked) throw refusal(name, name + ": isn't streamed; ask without stream");
    };
    alone(read.echo, "echo");
    alone(read.logprobs.has_value(), "logprobs");
    alone(read.prompts.size() > 1, "prompt");
  }
  return read;
}

}  // namespace act::serve
