#include <act/io/utf8.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/log_probabilities.hpp>
#include <act/runtime/sampling.hpp>
#include <act/runtime/text_stream.hpp>
#include <act/serve/completion.hpp>
#include <act/serve/served_models.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::serve {
namespace {

using runtime::token_id;

// Spells rankings of one text's tokens.
class token_scores {
 public:
  token_scores(const runtime::tokenizer& by, std::vector<scored_token>& into) : by_(by), into_(into) {}

  // A text's first token, which nothing predicts.
  void begin(token_id token) {
    before_.reset();
    add(token, nullptr);
  }

  void add(token_id token, const runtime::token_ranking* ranking) {
    scored_token scored{.spelling = token_spelling(by_, before_, token)};
    if (ranking != nullptr) {
      scored.log_probability = ranking->target;
      for (const runtime::ranked_token& each : ranking->likeliest)
        scored.likeliest.emplace_back(token_spelling(by_, before_, each.token), each.log_probability);
      // The token itself is always among them.
      const auto own = std::find_if(ranking->likeliest.begin(), ranking->likeliest.end(),
                                    [&](const runtime::ranked_token& each) { return each.token == token; });
      if (!ranking->likeliest.empty() && own == ranking->likeliest.end())
        scored.likeliest.emplace_back(scored.spelling, ranking->target);
    }
    into_.push_back(std::move(scored));
    before_ = token;
  }

  // Goes on behind a prompt that isn't scored.
  void behind(token_id before) { before_ = before; }

 private:
  const runtime::tokenizer& by_;
  std::vector<scored_token>& into_;
  std::optional<token_id> before_;
};

// Every row of a prompt as the last layer leaves it, ready for the output matrix.
runtime::matrix run_whole(const served_model& by, std::span<const token_id> prompt,
                          const std::function<void()>& still_wanted) {
  const runtime::model& model = *by.model;
  const std::vector<token_id> tokens(prompt.begin(), prompt.end());
  const runtime::packed_prompts packed = runtime::pack(model.config, std::span(&tokens, 1));
  const runtime::rotary_tables rotary(model.config.rotary, packed.positions);
  runtime::matrix hidden = runtime::embed(model, packed);
  runtime::layer_buffers buffers;
  for (std::size_t layer = 0; layer < model.config.layers; ++layer) {
    still_wanted();
    runtime::run_layer(model, layer, {.sequences = packed.sequences, .rotary = rotary},
                       by.calibration.in_layer(layer), hidden, buffers);
  }
  return runtime::final_hidden(model, hidden);
}

// The one token that a scored prompt is asked for beside its own: drawn from the pass that scored it.
void draw_one(const served_model& by, const runtime::matrix& hidden, token_id before,
              const completion_options& options, completion& made,
              const std::function<void(std::string_view)>& on_text) {
  const std::vector<std::uint32_t> last{static_cast<std::uint32_t>(hidden.rows() - 1)};
  runtime::matrix logits(1, by.model->output.count());
  by.model->output.all_logits(runtime::rows_at(hidden, last), logits);
  const std::span<const float> row = std::as_const(logits).row(0);
  const std::size_t vocabulary = std::min(row.size(), by.tokenizer->vocabulary_size());
  const token_id token = runtime::sampler(options.generation.sampling)(row.first(vocabulary));
  options.generation.on_token(token, row);
  const auto& own_ends = options.generation.end_tokens;
  if (std::binary_search(by.tokenizer->ends().begin(), by.tokenizer->ends().end(), token) ||
      std::find(own_ends.begin(), own_ends.end(), token) != own_ends.end()) {
    made.end = runtime::generation_end::end_token;
    return;
  }
  runtime::text_stream stream(options.generation.stops);
  made.text = stream.append(runtime::token_text(*by.tokenizer, before, token));
  made.text += stream.finish();
  made.end = stream.stopped() ? runtime::generation_end::stop_string : runtime::generation_end::length;
  on_text(made.text);
}

}  // namespace

std::string token_spelling(const runtime::tokenizer& by, std::optional<token_id> before, token_id token) {
  std::string text;
  if (before) {
    const std::array<token_id, 2> both{*before, token};
    text = by.decode(both).substr(by.decode(std::span(both).first(1)).size());
  } else {
    text = by.decode(std::span(&token, 1));
  }
  if (io::find_invalid_utf8(text) == std::string_view::npos) return text;
  std::string bytes = "bytes:";
  for (const char each : text) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(each);
    bytes += "\\x";
    bytes += digits[byte >> 4];
    bytes += digits[byte & 15];
  }
  return bytes;
}

completion complete(const served_model& by, std::span<const token_id> prompt,
                    const completion_options& options, const std::function<void()>& still_wanted,
                    const std::function<void(std::string_view)>& on_text) {
  completion made;
  made.prompt_tokens = prompt.size();
  completion_options wanted = options;
  token_scores scores(*by.tokenizer, made.tokens);
  if (!prompt.empty()) scores.behind(prompt.back());
  const std::size_t beside = options.logprobs.value_or(0);
  const std::size_t vocabulary = std::min(by.model->output.count(), by.tokenizer->vocabulary_size());
  wanted.generation.on_token = [&](token_id token, std::span<const float> logits) {
    ++made.made_tokens;
    if (!options.logprobs) return;
    const runtime::token_ranking ranking = runtime::rank_tokens(logits, token, beside, vocabulary);
    scores.add(token, &ranking);
  };
  const std::size_t most = options.generation.max_new_tokens;
  if (options.echo && options.logprobs) {
    const runtime::matrix hidden = run_whole(by, prompt, still_wanted);
    still_wanted();
    const std::vector<runtime::token_ranking> rankings =
        runtime::rank_tokens(*by.model, hidden, prompt.subspan(1), beside, vocabulary);
    scores.begin(prompt.front());
    for (std::size_t i = 1; i < prompt.size(); ++i)
      scores.add(prompt[i], &rankings[i - 1]);
    if (most == 1) draw_one(by, hidden, prompt.back(), wanted, made, on_text);
    if (most <= 1) return made;
  }
  still_wanted();
  if (most == 0) {
    const std::vector<token_id> tokens(prompt.begin(), prompt.end());
    (void)runtime::pack(by.model->config, std::span(&tokens, 1));  // refused alike, whatever is asked
    return made;
  }
  wanted.generation.still_wanted = still_wanted;
  runtime::generation text =
      runtime::generate(*by.model, *by.tokenizer, prompt, by.calibration, wanted.generation, on_text);
  made.text = std::move(text.text);
  made.end = text.end;
  return made;
}

}  // namespace act::serve
