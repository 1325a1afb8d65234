// What inspection found, as JSON for programs and as tables for people, both made from the same values.
#pragma once

#include <act/io/json_document.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <string>

namespace act::inspection {
struct inspection_summary;
struct prompt_observation;
}  // namespace act::inspection
namespace act::runtime {
class tokenizer;
}

namespace act::report {

/// `{"rule", "alpha", "tau", "min_visible_rows"}`.
[[nodiscard]] io::json_document to_json(const sink_options& options);

/// The sinks of one prompt in the order of layer, head and position:
/// `[{"layer", "head", "position", "token", "id", "score", "mass"}]`. `token` is the token's text (a byte
/// that isn't UTF-8 on its own becomes U+FFFD when the JSON is written; `id` says which token it is).
[[nodiscard]] io::json_document sinks_json(const inspection::prompt_observation& prompt,
                                           const runtime::tokenizer& by);

/// The sinks of many prompts, one entry for each token that is a sink of a head, the strongest first:
/// `[{"layer", "head", "position", "token", "id", "score", "mass", "count", "prompts"}]`; position, score and
/// mass are means over its `count` occurrences as a sink, in `prompts` prompts.
[[nodiscard]] io::json_document sinks_json(const inspection::inspection_summary& summary,
                                           const runtime::tokenizer& by);

/// `{"n", "layers", "heads_per_layer", "tokens", "sink_count", "sink_mass", "first_token": {"mass",
/// "over_threshold"}, "per_head": [{"layer", "head", "prompts_with_sinks", "sinks", "sink_mass",
/// "first_mass"}], "frequent_tokens": [{"token", "id", "count", "share", "prompts"}], "scores": {"up_to",
/// "first", "sinks", "others"}, "tenths"}`. Masses are mean shares of the attention; `prompts_with_sinks` and
/// `over_threshold` are shares of the prompts and of the (prompt, head) pairs; `sinks` is a mean per prompt;
/// `tenths` counts sinks by the tenth of the prompt they stand in; `scores` counts tokens of every prompt and
/// head by how many times 1 / N their score is, the last bin having no end.
[[nodiscard]] io::json_document to_json(const inspection::inspection_summary& summary,
                                        const runtime::tokenizer& by);

/// One prompt's `top` sinks that hold most of their head's attention.
[[nodiscard]] std::string strongest_sinks_table(const inspection::prompt_observation& prompt,
                                                const runtime::tokenizer& by, std::size_t top);

/// One prompt's `top` positions that are sinks of most heads.
[[nodiscard]] std::string sink_positions_table(const inspection::prompt_observation& prompt,
                                               const runtime::tokenizer& by, std::size_t top);

/// Many prompts' `top` tokens that hold most of a head's attention as its sinks.
[[nodiscard]] std::string strongest_sinks_table(const inspection::inspection_summary& summary,
                                                const runtime::tokenizer& by, std::size_t top);

/// The paper's Table 1: the `top` most frequent sink tokens, the others together in the last line.
[[nodiscard]] std::string frequent_tokens_table(const inspection::inspection_summary& summary,
                                                const runtime::tokenizer& by, std::size_t top);

/// How the scores of first tokens, sinks and other tokens are distributed (the paper's Figure 2), a row a bin
/// that isn't empty; shares are of each kind's tokens.
[[nodiscard]] std::string score_table(const inspection::inspection_summary& summary);

/// In which tenth of their prompt sinks stand (the paper's Figure 5), one line; empty without sinks.
[[nodiscard]] std::string sink_places(const inspection::inspection_summary& summary);

/// What all of it says in a few lines: how many sinks, what they and the first token hold, where they stand.
[[nodiscard]] std::string inspection_remarks(const inspection::inspection_summary& summary);

}  // namespace act::report
