#include "inspect/predictability.hpp"

#include <act/error.hpp>
#include <act/inspection/predictability.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/inspection_page.hpp>
#include <act/report/pages/predictability_report.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/random_weights.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "inspect/options.hpp"
#include "programs/build_record.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

using act::inspection::head_vectors;
using windows_of_text = std::vector<std::vector<act::runtime::token_id>>;

std::vector<head_vectors> asked_vectors(const inspect_options& options) {
  std::vector<head_vectors> chosen;
  for (const std::string& name : options.vectors) {
    for (const head_vectors each :
         {head_vectors::queries, head_vectors::keys, head_vectors::rotated_keys, head_vectors::values}) {
      std::string own(act::inspection::name_of(each));
      std::replace(own.begin(), own.end(), ' ', '-');
      if (name == own && std::find(chosen.begin(), chosen.end(), each) == chosen.end())
        chosen.push_back(each);
    }
  }
  return chosen;
}

std::size_t window_length(const inspect_options& options, std::size_t longest) {
  const std::size_t length = options.context > 0 ? options.context : std::min<std::size_t>(512, longest);
  if (length > longest) {
    throw act::error(act::error_code::invalid_option, "--context",
                     "is longer than the model's, " + std::to_string(longest) + " tokens; make it shorter");
  }
  if (options.leave_out >= length) {
    throw act::error(act::error_code::invalid_option, "--leave-out",
                     "leaves nothing of windows of " + std::to_string(length) + " tokens; make it smaller");
  }
  return length;
}

// Windows one after another, the text's last piece among them; at most --max-windows.
windows_of_text windows_of(const std::vector<act::runtime::token_id>& tokens, std::size_t length,
                           const inspect_options& options) {
  windows_of_text windows;
  for (std::size_t first = 0; first < tokens.size(); first += length) {
    if (options.max_windows > 0 && windows.size() == options.max_windows) break;
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(first);
    windows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(std::min(length, tokens.size() - first)));
  }
  if (windows.size() < 2) {
    throw act::error(act::error_code::invalid_input, options.predictability,
                     "is one window of " + std::to_string(length) +
                         " tokens, and another one has to be held out; give a longer text or a smaller "
                         "--context");
  }
  return windows;
}

// Batches of about 1,024 tokens, none with windows of both parts.
void read_windows(act::inspection::head_moments& into, const windows_of_text& windows, bool quiet) {
  constexpr std::size_t tokens_per_batch = 1024;
  const std::size_t fitted = windows.size() - act::inspection::held_out_windows(windows.size());
  act::report::progress progress("reading windows", windows.size(), quiet);
  for (std::size_t first = 0; first < windows.size();) {
    const bool held_out = first >= fitted;
    const std::size_t end = held_out ? windows.size() : fitted;
    std::size_t count = 1, tokens = windows[first].size();
    while (first + count < end && tokens + windows[first + count].size() <= tokens_per_batch)
      tokens += windows[first + count++].size();
    into.add(std::span(windows).subspan(first, count), held_out);
    first += count;
    progress.advance(count);
    stop_if_interrupted();
  }
}

act::inspection::predictability fit(const act::inspection::head_moments& of, std::size_t layers, bool quiet) {
  act::report::progress progress("choosing references", layers * of.options().of.size(), quiet);
  return act::inspection::predict_heads(of, [&] {
    progress.advance();
    stop_if_interrupted();
  });
}

std::string megabytes(std::uint64_t bytes) {
  return act::report::formatted("%.0f MB", static_cast<double>(bytes) / 1e6);
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

void inspect_predictability(const command_line& line, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const act::inspection::predictability_options how{.of = asked_vectors(options),
                                                    .references = options.references,
                                                    .lower_layers = options.lower_layers,
                                                    .left_out = options.leave_out,
                                                    .ridge = options.ridge};
  const act::io::text_file text = read_utf8_file(options.predictability);
  act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_config& config = loaded.model.config;
  const std::size_t length = window_length(options, config.context);
  const std::vector<act::runtime::token_id> tokens =
      loaded.tokenizer->encode(text.text, act::runtime::special_tokens_in_text::are_text);
  const windows_of_text windows = windows_of(tokens, length, options);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  const bool random = line.given("--random-weights");
  if (random) loaded.model = act::runtime::with_random_weights(loaded.model, options.random_weights);

  act::inspection::head_moments sums(loaded.model, how);
  read_windows(sums, windows, options.common.quiet);
  const act::inspection::predictability found = fit(sums, config.layers, options.common.quiet);
  const std::uint64_t bytes = act::inspection::head_moments::bytes(config, how);
  const std::size_t held_out = act::inspection::held_out_windows(windows.size());

  if (!options.common.json.empty()) {
    act::io::json_document document = act::report::to_json(found);
    document.set("windows", act::io::json_document::object({{"length", length},
                                                            {"fitted", windows.size() - held_out},
                                                            {"held_out", held_out},
                                                            {"left_out", how.left_out}}));
    document.set("references", how.references);
    document.set("lower_layers", how.lower_layers);
    document.set("ridge", how.ridge);
    document.set("memory", bytes);
    document.set("weights", random ? act::io::json_document::object({{"random", options.random_weights}})
                                   : act::io::json_document("trained"));
    document.set("data", act::io::json_document::object(
                             {{"file", options.predictability},
                              {"sha256", act::io::sha256_of_file(options.predictability)}}));
    document.set("model", act::runtime::to_json(identity));
    write_result(options.common.json, std::move(document), line, clock);
  }
  const std::string weights =
      random ? "random weights (seed " + std::to_string(options.random_weights) + "), " : "";
  const std::string what = weights + "maps fitted on " + std::to_string(found.fitted_tokens) + " tokens of " +
                           options.predictability + ", held out " + std::to_string(found.held_out_tokens) +
                           ", windows of " + std::to_string(length) +
                           (how.left_out > 0 ? " without their first " + std::to_string(how.left_out) : "") +
                           "; sums of products take " + megabytes(bytes);
  const std::string peers =
      "R^2: of each head's vectors from up to " + counted(how.references, "head's", "heads'") +
      " of its layer" + (how.lower_layers > 0 ? " and " + std::to_string(how.lower_layers) + " below" : "") +
      ", chosen greedily on the fitted tokens; mean over heads, on the held-out tokens";
  if (!options.html.empty()) {
    act::io::write_file(
        options.html,
        act::report::predictability_page(
            {.title = "Linear predictability of heads",
             .lines = {loaded.path + ": " + what + ".", peers + ".",
                       "act-inspect " + std::string(ACT_VERSION_STRING) + " (" + built().revision + ")."}},
            found));
  }
  std::cout << what << "\n"
            << peers << "\n\n"
            << act::report::predictability_table(found) << "\n"
            << act::report::predictability_heat_map(found, {.colour = wants_colour(options)});
  if (std::all_of(found.kinds.begin(), found.kinds.end(), [](const auto& kind) {
        return !kind.mean(1, &act::inspection::head_prediction::held_out);
      }))
    std::cout
        << "\nNo head has a peer here: a layer has one head of these. --lower-layers 1 takes those below.\n";
}

}  // namespace act_program
