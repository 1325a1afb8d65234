#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/serve/chat_request.hpp>
#include <act/serve/completion.hpp>
#include <act/serve/completion_request.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/service.hpp>
#include <act/serve/tokenizer_request.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace act::serve {
namespace {

using runtime::token_id;

// A failure as the client is told.
refusal told(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const refusal& refused) {
    return refused;
  } catch (const error& wrong) {
    const bool asked =
        wrong.code() == error_code::invalid_input || wrong.code() == error_code::invalid_option;
    return refusal("", wrong.what()).with_status(asked ? 400 : 500);
  } catch (const std::bad_alloc&) {
    return refusal("", "out of memory; try again with less, or later").with_status(503);
  } catch (const std::exception& wrong) {
    return refusal("", wrong.what()).with_status(500);
  }
}

service_answer answer_of(const refusal& refused) {
  return {
      .status = refused.status(), .retry_after = refused.retry_after(), .body = refused.body(), .events = {}};
}

// A prompt that the model can be asked.
void check_prompt(const served_model& by, const std::vector<token_id>& tokens, const std::string& name) {
  const std::size_t context = by.model->config.context;
  if (tokens.empty()) throw refusal(name, name + ": has no tokens");
  if (tokens.size() > context) {
    throw refusal(name, name + ": has " + std::to_string(tokens.size()) + " tokens; the model's context is " +
                            std::to_string(context));
  }
  const std::size_t vocabulary = std::min(by.model->config.vocabulary, by.tokenizer->vocabulary_size());
  for (const token_id each : tokens) {
    if (each < 0 || static_cast<std::size_t>(each) >= vocabulary) {
      throw refusal(name, name + ": has a token id outside the vocabulary of " + std::to_string(vocabulary));
    }
  }
}

struct read_prompt {
  std::string text;
  std::vector<token_id> tokens;
};

read_prompt read(const served_model& by, const completion_prompt& prompt, bool echo) {
  read_prompt made;
  if (const auto* const text = std::get_if<std::string>(&prompt)) {
    made.text = *text;
    made.tokens = by.tokenizer->encode(*text, runtime::special_tokens_in_text::are_tokens);
    check_prompt(by, made.tokens, "prompt");
  } else {
    made.tokens = std::get<std::vector<token_id>>(prompt);
    check_prompt(by, made.tokens, "prompt");
    if (echo) made.text = by.tokenizer->decode(made.tokens);
  }
  return made;
}

completion_options options_of(const generation_request& how, std::size_t tokens_without) {
  completion_options options;
  options.generation.max_new_tokens = how.max_tokens.value_or(tokens_without);
  options.generation.sampling = how.sampling;
  options.generation.stops = how.stops;
  return options;
}

// The answer's one piece, waited for.
service_answer whole(work_queue::place place, const std::function<bool()>& gone) {
  service_answer answer;
  while (std::optional<std::string> piece = place.next(gone))
    answer.body = std::move(*piece);
  return answer;
}

// Work on a stream of one prompt.
std::function<void(work&)> streaming(answer_kind kind, answer_heading heading, const served_model& by,
                                     std::vector<token_id> prompt, completion_options options, bool usage) {
  return [=, &by](work& on) {
    if (kind == answer_kind::chat) on.give(first_event(heading));
    const completion made = complete(
        by, prompt, options, [&] { on.check(); },
        [&](std::string_view text) {
          if (!text.empty()) on.give(text_event(kind, heading, text));
        });
    on.give(last_events(kind, heading, made, usage));
  };
}

}  // namespace

std::optional<std::string> event_stream::next(const std::function<bool()>& gone) {
  if (ended_) return std::nullopt;
  try {
    std::optional<std::string> events = place_.next(gone);
    ended_ = !events;
    return events;
  } catch (const unwanted&) {
    ended_ = true;
    return std::nullopt;
  } catch (...) {
    ended_ = true;
    return error_event(told(std::current_exception()).body());
  }
}

service::service(served_models models, const service_options& options)
    : models_(std::move(models)),
      options_(options),
      began_(std::time(nullptr)),
      identity_(std::random_device()()),
      queue_(options.workers, options.waiting) {}

std::optional<service_answer> service::answer(std::string_view path, std::string_view body,
                                              const std::function<bool()>& gone) {
  try {
    return routed(path, body, gone);
  } catch (const unwanted&) {
    return std::nullopt;
  } catch (...) {
    return answer_of(told(std::current_exception()));
  }
}

service_answer service::routed(std::string_view path, std::string_view body,
                               const std::function<bool()>& gone) {
  if (path == "/v1/completions") return complete_texts(body, gone);
  if (path == "/v1/chat/completions") return complete_chat(body, gone);
  service_answer answer;
  const served_model& any = models_.all().front();
  if (path == "/tokenizer_info") {
    answer.body = tokenizer_info_body(*any.tokenizer);
  } else if (path == "/tokenize") {
    answer.body = tokenize(body, *any.tokenizer, any.model->config.context);
  } else if (path == "/detokenize") {
    answer.body = detokenize(body, *any.tokenizer);
  } else if (path == "/v1/models") {
    std::vector<std::string> names;
    for (const served_model& each : models_.all())
      names.push_back(each.name);
    answer.body = models_body(names, began_);
  } else {
    answer.body = io::json_document::object(
                      {{"status", "ok"}, {"running", queue_.running()}, {"waiting", queue_.waiting()}})
                      .text();
  }
  return answer;
}

answer_heading service::heading(answer_kind kind, const std::string& model) {
  char id[64];
  std::snprintf(id, sizeof id, "%s-%08llx%08llx", kind == answer_kind::chat ? "chatcmpl" : "cmpl",
                static_cast<unsigned long long>(identity_), static_cast<unsigned long long>(++answered_));
  return {.id = id, .model = model, .created = std::time(nullptr)};
}

service_answer service::complete_texts(std::string_view body, const std::function<bool()>& gone) {
  constexpr std::size_t tokens_without = 16;  // OpenAI's
  const completion_request asked = parse_completion_request(body, options_.limits);
  const served_model& by = models_.find(asked.model);
  std::vector<read_prompt> prompts;
  for (const completion_prompt& each : asked.prompts)
    prompts.push_back(read(by, each, asked.echo));
  completion_options options = options_of(asked.how, tokens_without);
  options.echo = asked.echo;
  options.logprobs = asked.logprobs;
  const answer_heading heading = this->heading(answer_kind::text, by.name);
  if (asked.how.stream) {
    service_answer answer;
    answer.events = std::make_unique<event_stream>(
        queue_.submit(streaming(answer_kind::text, heading, by, std::move(prompts.front().tokens), options,
                                asked.how.usage_in_stream),
                      options_.time_limit));
    return answer;
  }
  const auto run = [&by, prompts = std::move(prompts), options, heading](work& on) {
    std::vector<answered_prompt> answers;
    for (const read_prompt& each : prompts) {
      answers.push_back({options.echo ? each.text : std::string(),
                         complete(
                             by, each.tokens, options, [&] { on.check(); }, [](std::string_view) {})});
    }
    on.give(answer_body(answer_kind::text, heading, answers, options.logprobs.has_value()));
  };
  return whole(queue_.submit(run, options_.time_limit), gone);
}

service_answer service::complete_chat(std::string_view body, const std::function<bool()>& gone) {
  const chat_request asked = parse_chat_request(body, options_.limits);
  const served_model& by = models_.find(asked.model);
  const served_chat& chat = models_.chat();
  if (!chat.write) throw refusal("model", "model: " + chat.missing);
  std::vector<token_id> prompt = chat.write(asked.turns);
  check_prompt(by, prompt, "messages");
  completion_options options = options_of(asked.how, options_.limits.new_tokens);
  options.generation.end_tokens = chat.ends;
  const answer_heading heading = this->heading(answer_kind::chat, by.name);
  if (asked.how.stream) {
    service_answer answer;
    answer.events = std::make_unique<event_stream>(queue_.submit(
        streaming(answer_kind::chat, heading, by, std::move(prompt), options, asked.how.usage_in_stream),
        options_.time_limit));
    return answer;
  }
  const auto run = [&by, prompt = std::move(prompt), options, heading](work& on) {
    const std::vector<answered_prompt> answers{
        {{},
         complete(
             by, prompt, options, [&] { on.check(); }, [](std::string_view) {})}};
    on.give(answer_body(answer_kind::chat, heading, answers, false));
  };
  return whole(queue_.submit(run, options_.time_limit), gone);
}

}  // namespace act::serve
