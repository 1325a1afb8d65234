#include <act/io/json_document.hpp>
#include <act/serve/answer_json.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::serve {
namespace {

using io::json_document;

std::string_view object_of(answer_kind kind, bool streamed) {
  if (kind == answer_kind::text) return "text_completion";
  return streamed ? "chat.completion.chunk" : "chat.completion";
}

json_document begun(answer_kind kind, const answer_heading& heading, bool streamed) {
  return json_document::object({{"id", heading.id},
                                {"object", object_of(kind, streamed)},
                                {"created", static_cast<long>(heading.created)},
                                {"model", heading.model}});
}

const char* reason(const completion& made) {
  using runtime::generation_end;
  return made.end == generation_end::end_token || made.end == generation_end::stop_string ? "stop" : "length";
}

json_document usage_of(std::size_t prompt, std::size_t made) {
  return json_document::object(
      {{"prompt_tokens", prompt}, {"completion_tokens", made}, {"total_tokens", prompt + made}});
}

json_document log_probabilities(const std::vector<scored_token>& scored) {
  std::vector<std::string> spellings;
  auto own = json_document::array(), likeliest = json_document::array();
  std::vector<std::size_t> offsets;  // in characters
  std::size_t offset = 0;
  for (const scored_token& each : scored) {
    spellings.push_back(each.spelling);
    offsets.push_back(offset);
    offset +=
        static_cast<std::size_t>(std::count_if(each.spelling.begin(), each.spelling.end(), [](char byte) {
          return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
        }));
    if (!each.log_probability) {
      own.push_back({});
      likeliest.push_back({});
      continue;
    }
    own.push_back(*each.log_probability);
    auto of = json_document::object();
    std::set<std::string_view> named;  // several tokens may be spelt alike: the likeliest counts
    for (const auto& [spelling, log_probability] : each.likeliest) {
      if (named.insert(spelling).second) of.set(spelling, log_probability);
    }
    likeliest.push_back(std::move(of));
  }
  return json_document::object({{"tokens", spellings},
                                {"token_logprobs", std::move(own)},
                                {"top_logprobs", std::move(likeliest)},
                                {"text_offset", offsets}});
}

std::string event(const json_document& data) {
  return "data: " + data.text() + "\n\n";
}

// An event with one choice; `end` is null before the last one.
std::string chunk(answer_kind kind, const answer_heading& heading, json_document delta, json_document end) {
  json_document data = begun(kind, heading, true);
  json_document choice = json_document::object({{"index", 0}});
  choice.set(kind == answer_kind::text ? "text" : "delta", std::move(delta));
  choice.set("logprobs", {});
  choice.set("finish_reason", std::move(end));
  data.set("choices", json_document::array({std::move(choice)}));
  return event(data);
}

}  // namespace

std::string answer_body(answer_kind kind, const answer_heading& heading,
                        std::span<const answered_prompt> answers, bool logprobs) {
  json_document body = begun(kind, heading, false);
  auto choices = json_document::array();
  std::size_t prompt = 0, made = 0;
  for (const answered_prompt& each : answers) {
    json_document choice = json_document::object({{"index", choices.size()}});
    if (kind == answer_kind::text) {
      choice.set("text", each.echoed + each.made.text);
    } else {
      choice.set("message", json_document::object({{"role", "assistant"}, {"content", each.made.text}}));
    }
    choice.set("logprobs", logprobs ? log_probabilities(each.made.tokens) : json_document());
    choice.set("finish_reason", reason(each.made));
    choices.push_back(std::move(choice));
    prompt += each.made.prompt_tokens;
    made += each.made.made_tokens;
  }
  body.set("choices", std::move(choices));
  body.set("usage", usage_of(prompt, made));
  return body.text();
}

std::string first_event(const answer_heading& heading) {
  return chunk(answer_kind::chat, heading, json_document::object({{"role", "assistant"}, {"content", ""}}),
               {});
}

std::string text_event(answer_kind kind, const answer_heading& heading, std::string_view text) {
  return chunk(kind, heading,
               kind == answer_kind::text ? json_document(text) : json_document::object({{"content", text}}),
               {});
}

std::string last_events(answer_kind kind, const answer_heading& heading, const completion& made, bool usage) {
  std::string events = chunk(
      kind, heading, kind == answer_kind::text ? json_document("") : json_document::object(), reason(made));
  if (usage) {
    json_document data = begun(kind, heading, true);
    data.set("choices", json_document::array());
    data.set("usage", usage_of(made.prompt_tokens, made.made_tokens));
    events += event(data);
  }
  return events + "data: [DONE]\n\n";
}

std::string error_event(std::string_view body) {
  return "data: " + std::string(body) + "\n\n";
}

std::string models_body(const std::vector<std::string>& names, std::int64_t created) {
  auto data = json_document::array();
  for (const std::string& name : names) {
    data.push_back(json_document::object(
        {{"id", name}, {"object", "model"}, {"created", static_cast<long>(created)}, {"owned_by", "act"}}));
  }
  return json_document::object({{"object", "list"}, {"data", std::move(data)}}).text();
}

}  // namespace act::serve
