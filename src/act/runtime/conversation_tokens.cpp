#include <act/error.hpp>
#include <act/runtime/conversation.hpp>
#include <act/runtime/conversation_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

namespace {

using enum special_tokens_in_text;

// How a control token is spelt; nothing for any other token.
std::optional<std::string> control_text(const tokenizer& by, token_id id) {
  try {
    if (!by.decode(std::span(&id, 1), true).empty()) return std::nullopt;
    std::string text = by.decode(std::span(&id, 1), false);
    return text.empty() ? std::nullopt : std::optional(std::move(text));
  } catch (const error&) {  // an id that the vocabulary leaves out
    return std::nullopt;
  }
}

std::size_t controls_among(const tokenizer& by, const std::vector<token_id>& ids) {
  return static_cast<std::size_t>(
      std::count_if(ids.begin(), ids.end(), [&](token_id id) { return control_text(by, id).has_value(); }));
}

using stretch = std::pair<std::size_t, std::size_t>;

// Where bytes of messages take part in the spelling of a control token; ascending, joined where they overlap.
std::vector<stretch> spelt_by_messages(const tokenizer& by, const written_conversation& conversation) {
  const auto touches_message = [&](std::size_t begin, std::size_t end) {
    return std::any_of(conversation.from_messages.begin(), conversation.from_messages.end(),
                       [&](const stretch& each) { return each.first < end && begin < each.second; });
  };
  std::vector<stretch> found;
  for (std::size_t id = 0; id < by.vocabulary_size(); ++id) {
    const auto text = control_text(by, static_cast<token_id>(id));
    if (!text) continue;
    for (std::size_t at = conversation.text.find(*text); at != std::string::npos;
         at = conversation.text.find(*text, at + 1)) {
      if (touches_message(at, at + text->size())) found.emplace_back(at, at + text->size());
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<stretch> joined;
  for (const stretch& each : found) {
    if (!joined.empty() && each.first < joined.back().second) {
      joined.back().second = std::max(joined.back().second, each.second);
    } else {
      joined.push_back(each);
    }
  }
  return joined;
}

}  // namespace

std::vector<token_id> encode_conversation(const tokenizer& by, const written_conversation& conversation) {
  const std::string_view text = conversation.text;
  std::vector<token_id> ids = by.encode(text, are_tokens, false);
  // The format's own control tokens, and those that there would be with the messages' help.
  bool spelt = false;
  std::size_t own = 0, at = 0;
  for (const auto& [begin, end] : conversation.from_messages) {
    own += controls_among(by, by.encode(text.substr(at, begin - at), are_tokens, false));
    const std::string_view message = text.substr(begin, end - begin);
    spelt = spelt || by.encode(message, are_tokens, false) != by.encode(message, are_text, false);
    at = end;
  }
  own += controls_among(by, by.encode(text.substr(at), are_tokens, false));
  if (!spelt && own == controls_among(by, ids)) return ids;

  ids.clear();
  const auto add = [&](std::size_t begin, std::size_t end, special_tokens_in_text written) {
    if (begin == end) return;
    const std::vector<token_id> more = by.encode(text.substr(begin, end - begin), written, false);
    ids.insert(ids.end(), more.begin(), more.end());
  };
  at = 0;
  for (const auto& [begin, end] : spelt_by_messages(by, conversation)) {
    add(at, begin, are_tokens);
    add(begin, end, are_text);
    at = end;
  }
  add(at, text.size(), are_tokens);
  return ids;
}

std::optional<token_id> first_control_token(const tokenizer& by, std::string_view text) {
  for (const token_id id : by.encode(text, are_tokens, false)) {
    if (control_text(by, id)) return id;
  }
  return std::nullopt;
}

}  // namespace act::runtime
