// act-eval --task ppl: the perplexity of a text, plain and calibrated.
#pragma once

#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/report/perplexity_report.hpp>
#include <act/report/progress.hpp>
#include <act/tasks/score_perplexity.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "eval_heads.hpp"
#include "eval_options.hpp"
#include "result_file.hpp"

namespace act_program {

inline void evaluate_perplexity(const CLI::App& app, const eval_options& options) {
  const act::report::provenance_clock clock;
  chosen_heads heads(options);
  heads.refuse_subset(
      "doesn't apply to --task ppl, whose text has no question; use another --redistribution");
  const act::io::text_file text = act::io::read_text_file(options.data);
  if (const std::size_t at = act::io::find_invalid_utf8(text.text); at != std::string::npos) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "isn't UTF-8 at byte " + std::to_string(at) + "; convert it");
  }
  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);

  const std::size_t longest = loaded.model.config.context;
  const std::size_t context = options.context > 0 ? options.context : longest;
  const std::size_t stride = options.stride > 0 ? options.stride : std::max<std::size_t>(context / 2, 1);
  if (context > longest) {
    throw act::error(act::error_code::invalid_option, "--context",
                     "is longer than the model's, " + std::to_string(longest) + " tokens; make it shorter");
  }
  if (context < 2 || stride > context) {
    throw act::error(act::error_code::invalid_option, "--stride",
                     "must be from 1 to the context, and the context at least 2");
  }
  const std::vector<act::runtime::token_id> tokens = loaded.tokenizer->encode(text.text);
  if (tokens.size() < 2) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "has fewer than 2 tokens, so there is nothing to predict; give a longer text");
  }
  const std::vector<act::tasks::perplexity_window> windows =
      act::tasks::perplexity_windows(tokens.size(), context, stride);
  act::tasks::window_scores scores;
  {
    act::report::progress progress("scoring", windows.size(), options.common.quiet);
    scores = act::tasks::score_windows(loaded.model, tokens, windows, heads.calibration(),
                                       [&](std::size_t settled) {
                                         progress.advance(settled);
                                         stop_if_interrupted();
                                       });
  }
  const act::tasks::perplexity_evaluation result = act::tasks::evaluate(scores, {.seed = options.seed});

  if (!options.common.json.empty()) {
    nlohmann::ordered_json document{
        {"task", perplexity_task}, {"tokens", tokens.size()}, {"context", context}, {"stride", stride}};
    document.update(act::report::to_json(result));
    add_calibrated_model(document, heads.calibration(), identity);
    document["data"] = {{"file", options.data}, {"sha256", act::io::sha256_of_file(options.data)}};
    write_result(options.common.json, std::move(document), app, clock);
  }
  std::cout << "perplexity of " << result.counted << " tokens of " << options.data << " in " << result.windows
            << " windows of " << context << ", stride " << stride << heads.remark() << "\n\n"
            << act::report::perplexity_table(result);
  std::cout << heads.nothing_to_calibrate();
}

}  // namespace act_program
