#include <act/io/sha256.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/stored/score_identity.hpp>

#include <cstddef>
#include <ostream>
#include <sstream>
#include <string_view>

namespace act::tasks {

namespace {

// Members are named here one by one, so that a new one doesn't compile until it is thought of.
void write_options(std::ostream& text, const calibration_options& options) {
  // Positions are the samples' own, strengths the calibration's.
  const auto& [sinks, beta, redistribute, theta, subset, behave_as, columns, span, factor, strengths] =
      options;
  const auto& [rule, alpha, tau, min_visible_rows, position_limit] = sinks;
  text << " rule " << name_of(rule) << " alpha " << alpha << " tau " << tau << " min-visible-rows "
       << min_visible_rows << " position-limit " << position_limit << " beta " << beta << " redistribution "
       << name_of(redistribute) << " theta " << theta << " compatibility " << name_of(behave_as)
       << " columns " << (columns == column_choice::span ? "span" : name_of(columns)) << " factor " << factor;
}

// Numbers behind how many there are: no two lists of lists read the same.
template <class Numbers>
void write(std::ostream& text, std::string_view name, const Numbers& numbers) {
  text << name << ' ' << numbers.size();
  for (const auto number : numbers)
    text << ' ' << number;
  text << '\n';
}

std::string hash_of(const std::string& text) {
  io::sha256 digest;
  digest.update(text);
  return digest.hex();
}

std::string identity_of(const prepared_sample& sample, bool with_part) {
  // Neither its place nor its label changes what it scores.
  const auto& [index, label, prompt, words, options, option_bytes, greedy_tokens, subset, option_subsets] =
      sample;
  std::ostringstream text;
  write(text, "prompt", prompt);
  write(text, "words", words);
  for (const auto& [tokens, first_scored] : options) {
    text << "scored from " << first_scored << ' ';
    write(text, "option", tokens);
  }
  write(text, "bytes", option_bytes);
  for (const std::vector<runtime::token_id>& answer : greedy_tokens)
    write(text, "said by", answer);
  if (with_part) {
    write(text, "part", subset);
    for (const std::vector<std::size_t>& of_option : option_subsets)
      write(text, "part of option", of_option);
  }
  return hash_of(text.str());
}

}  // namespace

std::string pass_identity(const runtime::model_calibration& calibration) {
  // What a decoder does behind a prompt is no part of a score, and a pass's positions are the samples'.
  const auto& [heads, options, subsets, masks, strengths, decoding, generated_sinks] = calibration;
  if (heads.empty()) return "plain";
  std::ostringstream text;
  text.precision(17);
  text << "heads";
  std::size_t number = 0;
  for (const layer_head& each : heads) {
    text << ' ' << each.layer << '.' << each.head;
    if (!strengths.empty()) text << '@' << strengths.at(number++);
  }
  if (masks) {
    text << " masked";
  } else {
    write_options(text, options);
  }
  return text.str();
}

std::vector<std::string> sample_identities(std::span<const prepared_sample> batch, bool with_part) {
  std::vector<std::string> identities;
  std::string all;
  for (const prepared_sample& sample : batch)
    all += identities.emplace_back(identity_of(sample, with_part)) + ' ';
  if (batch.size() < runtime::kernels().panel_worth_rows) {
    for (std::string& each : identities)
      each = hash_of(each + " in a batch of " + all);
  }
  return identities;
}

}  // namespace act::tasks
