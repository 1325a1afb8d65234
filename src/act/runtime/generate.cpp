#include <act/runtime/decoder.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/text_stream.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace act::runtime {

std::string_view name_of(generation_end end) noexcept {
  switch (end) {
    case generation_end::end_token:
      return "end_token";
    case generation_end::stop_string:
      return "stop_string";
    case generation_end::length:
      return "length";
    case generation_end::context:
      return "context";
  }
  return {};
}

std::string token_text(const tokenizer& by, token_id before, token_id token) {
  const std::array<token_id, 2> both{before, token};
  const std::string first = by.decode(std::span(both).first(1), true);
  return by.decode(both, true).substr(first.size());
}

generation generate(const model& with, const tokenizer& by, std::span<const token_id> prompt,
                    const model_calibration& calibration, const generation_options& options,
                    const std::function<void(std::string_view)>& on_text) {
  decoder sequence(with, calibration, options.cache, options.stored);
  sampler next(options.sampling);
  text_stream stream(options.stops);
  generation made;
  const auto show = [&](const std::string& text) {
    made.text += text;
    on_text(std::string_view(text));
  };
  const auto ends = [&](token_id token) {
    return std::binary_search(by.ends().begin(), by.ends().end(), token) ||
           std::find(options.end_tokens.begin(), options.end_tokens.end(), token) != options.end_tokens.end();
  };
  std::span<const float> logits = sequence.start(prompt, options.still_wanted);
  token_id before = prompt.back();
  while (made.tokens.size() < options.max_new_tokens) {
    const token_id token = next(logits.first(std::min(logits.size(), by.vocabulary_size())));
    if (options.on_token) options.on_token(token, logits);
    if (ends(token)) {
      made.end = generation_end::end_token;
      break;
    }
    made.tokens.push_back(token);
    show(stream.append(token_text(by, before, token)));
    before = token;
    if (stream.stopped()) {
      made.end = generation_end::stop_string;
      break;
    }
    if (!sequence.has_room()) {
      made.end = generation_end::context;
      break;
    }
    if (made.tokens.size() == options.max_new_tokens) break;
    if (options.still_wanted) options.still_wanted();
    logits = sequence.append(token);
  }
  show(stream.finish());
  return made;
}

}  // namespace act::runtime
