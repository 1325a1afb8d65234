#include "eval/perplexity.hpp"

#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/report/perplexity_report.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/cache_policy.hpp>
#include <act/runtime/cache_type.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/kv_cache.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/tasks/score_perplexity.hpp>
#include <act/tasks/score_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "eval/heads.hpp"
#include "eval/options.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/reference_cache.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

// How the text is cut: tokens of a window, and from window to window.
struct window_size {
  std::size_t context = 0;
  std::size_t stride = 0;
};

std::string read_utf8(const std::string& path) {
  act::io::text_file file = read_utf8_file(path);
  if (const std::size_t at = act::io::find_invalid_utf8(file.text); at != std::string::npos) {
    throw act::error(act::error_code::invalid_input, path,
                     "isn't UTF-8 at byte " + std::to_string(at) + "; convert it");
  }
  return std::move(file.text);
}

window_size windows_for(const eval_options& options, std::size_t longest) {
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
  return {.context = context, .stride = stride};
}

struct scored_windows {
  act::tasks::window_scores scores;
  std::size_t chosen = 0;  ///< windows there are; after an interruption more than were scored
  bool interrupted = false;
};

// After an interruption what there is. Throws `interrupted` where that is nothing.
scored_windows score_windows(const act::runtime::model& model,
                             const std::vector<act::runtime::token_id>& tokens, window_size size,
                             const act::runtime::model_calibration& calibration,
                             const eval_options& options) {
  std::vector<act::tasks::perplexity_window> windows =
      act::tasks::perplexity_windows(tokens.size(), size.context, size.stride);
  if (options.max_windows > 0 && options.max_windows < windows.size()) windows.resize(options.max_windows);
  act::report::progress progress("scoring", windows.size(), options.common.quiet);
  scored_windows made{.scores = {}, .chosen = windows.size()};
  try {
    act::tasks::score_windows(model, tokens, windows, calibration, made.scores, [&](std::size_t settled) {
      progress.advance(settled);
      stop_if_interrupted();
    });
  } catch (const interrupted&) {
    if (made.scores.counted.empty()) throw;
    made.interrupted = true;
  }
  return made;
}

// Each block of a text that went by; `second`: what the other way is called.
act::io::json_document blocks_json(const act::tasks::window_scores& scores, const std::string& second) {
  act::io::json_document blocks = act::io::json_document::array();
  for (std::size_t i = 0; i < scores.counted.size(); ++i) {
    const auto mean = [&](const std::vector<double>& sums) {
      return sums[i] / static_cast<double>(scores.counted[i]);
    };
    act::io::json_document block = act::io::json_document::object(
        {{"tokens", scores.counted[i]}, {"log_probability", mean(scores.plain)}});
    if (!scores.calibrated.empty()) block.set(second + "_log_probability", mean(scores.calibrated));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// The text as it goes by, scored token by token.
act::tasks::window_scores score_passing(const act::runtime::model& model,
                                        const std::vector<act::runtime::token_id>& tokens,
                                        const act::runtime::cache_policy& cache,
                                        const act::runtime::model_calibration& calibration,
                                        const eval_options& options) {
  act::report::progress progress("scoring", tokens.size() - 1, options.common.quiet);
  return act::tasks::score_stream(model, tokens, cache, options.stored(), options.block, calibration,
                                  [&](std::size_t settled) {
                                    progress.advance(settled);
                                    stop_if_interrupted();
                                  });
}

// The same with every key kept and, as the other way, with those of reference heads alone.
act::tasks::window_scores score_references(const act::runtime::model& model,
                                           const std::vector<act::runtime::token_id>& tokens,
                                           const act::runtime::cache_policy& cache,
                                           const eval_options& options) {
  if (tokens.size() > model.config.context) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "has " + std::to_string(tokens.size()) + " tokens, the model's context is " +
                         std::to_string(model.config.context) + "; give a shorter text");
  }
  act::tasks::window_scores scores = score_passing(model, tokens, {}, {}, options);
  scores.calibrated = score_passing(model, tokens, cache, {}, options).plain;
  return scores;
}

}  // namespace

void evaluate_perplexity(const command_line& line, const eval_options& options) {
  const act::report::provenance_clock clock;
  chosen_heads heads(options);
  heads.refuse_subset(
      "doesn't apply to --task ppl, whose text has no parts; use another --redistribution, or --columns");
  const std::string text = read_utf8(options.data);
  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);
  const bool passing = !options.cache.empty();
  const window_size size = passing ? window_size{} : windows_for(options, loaded.model.config.context);
  const std::vector<act::runtime::token_id> tokens =
      loaded.tokenizer->encode(text, options.scoring.special_tokens.written());
  if (tokens.size() < 2) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "has fewer than 2 tokens, so there is nothing to predict; give a longer text");
  }
  act::runtime::cache_policy cache;
  if (passing) cache = act::runtime::parse_cache_policy(options.cache, "--cache");
  const std::string kept = fit_reference_cache(cache, loaded, options.cache_text, options.common.quiet);
  const scored_windows scored =
      cache.reference_heads > 0
          ? scored_windows{.scores = score_references(loaded.model, tokens, cache, options)}
      : passing
          ? scored_windows{.scores = score_passing(loaded.model, tokens, cache, heads.calibration(), options)}
          : score_windows(loaded.model, tokens, size, heads.calibration(), options);
  const act::report::way_names names =
      cache.reference_heads > 0
          ? act::report::way_names{.first = "all keys kept", .second = "reference heads"}
          : act::report::way_names{};
  const act::tasks::window_scores& scores = scored.scores;
  const std::string json = scored.interrupted ? partial_path(options.common.json) : options.common.json;
  const act::tasks::perplexity_evaluation result = act::tasks::evaluate(scores, {.seed = options.seed});

  if (!options.common.json.empty()) {
    act::io::json_document document =
        act::io::json_document::object({{"task", perplexity_task}, {"tokens", tokens.size()}});
    if (passing) {
      document.set("cache", options.cache);
      document.set("cache_type", options.cache_type);
      add_reference_cache(document, cache, loaded.model.config, options.cache_text);
      document.set("blocks", blocks_json(scores, kept.empty() ? "calibrated" : "reference_heads"));
    } else {
      document.set("context", size.context);
      document.set("stride", size.stride);
      if (options.max_windows > 0) document.set("max_windows", options.max_windows);
    }
    document.update(act::report::to_json(result, names));
    options.scoring.special_tokens.add_to(document);
    add_calibrated_model(document, heads.calibration(), identity);
    document.set("data", act::io::json_document::object(
                             {{"file", options.data}, {"sha256", act::io::sha256_of_file(options.data)}}));
    if (scored.interrupted)
      document.set("interrupted", act::io::json_document::object({{"windows", scored.chosen}}));
    write_result(json, std::move(document), line, clock);
  }
  std::cout << "perplexity of " << result.counted << " tokens of " << options.data;
  if (passing) {
    std::cout << " as they go by, cache " << options.cache
              << (options.stored() == act::runtime::cache_type::f32 ? "" : " in " + options.cache_type);
  } else {
    std::cout << " in " << result.windows << " windows of " << size.context << ", stride " << size.stride;
  }
  std::cout << heads.remark() << "\n" << kept << (kept.empty() ? "\n" : "\n\n");
  std::cout << act::report::perplexity_table(result, names);
  std::cout << heads.nothing_to_calibrate();
  if (scored.interrupted) {
    throw interrupted(std::to_string(result.windows) + " of " + std::to_string(scored.chosen) +
                      " windows had been scored" + (json.empty() ? "" : ", " + json));
  }
}

}  // namespace act_program
