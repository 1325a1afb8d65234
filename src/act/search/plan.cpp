#include <act/options.hpp>
#include <act/search/plan.hpp>
#include <act/search/sample_chunk.hpp>
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/selection.hpp>

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace act::search {

namespace {

void write_subset(std::ostream& text, std::span<const std::size_t> subset) {
  if (!subset.empty()) text << " part at";
  for (const std::size_t position : subset)
    text << ' ' << position;
}

}  // namespace

void search_plan::shuffle(std::uint64_t seed) {
  reorder(tasks::select(samples.size(), samples.size(), seed));
}

void search_plan::put_first(const std::vector<bool>& marked) {
  std::vector<std::size_t> order;
  for (const bool wanted : {true, false}) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (marked[i] == wanted) order.push_back(i);
    }
  }
  reorder(order);
}

void search_plan::reorder(std::span<const std::size_t> order) {
  std::vector<tasks::prepared_sample> reordered;
  std::vector<std::size_t> sources_of_these;
  for (const std::size_t index : order) {
    sources_of_these.push_back(source(index));
    reordered.push_back(std::move(samples[index]));
  }
  samples = std::move(reordered);
  source_of = std::move(sources_of_these);
}

std::vector<sample_chunk> search_plan::chunks() const {
  std::vector<sample_chunk> groups;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (groups.empty() || tokens + samples[i].tokens() > tokens_per_chunk) {
      groups.push_back({.begin = i, .end = i});
      tokens = 0;
    }
    tokens += samples[i].tokens();
    groups.back().end = i + 1;
  }
  return groups;
}

std::string search_plan::identity() const {
  std::ostringstream text;
  text.precision(17);
  text << "model " << fingerprint << '\n' << "layers " << range.first << ':' << range.last << '\n';
  // Said only where it isn't what it was when nothing was said.
  if (!compute.empty()) text << "compute " << compute << '\n';
  if (!strategy.empty()) text << "strategy " << strategy << '\n';
  if (tokens_per_chunk != search_plan{}.tokens_per_chunk)
    text << "tokens run together " << tokens_per_chunk << '\n';
  const bool renormalises = options.redistribute == redistribution::renormalised;
  // A search with one strength says what it was when there was one alone.
  const auto write_strengths = [&](const char* one, const char* several, double value, bool these) {
    text << (these && !strengths.empty() ? several : one);
    if (these && !strengths.empty()) {
      for (const double each : strengths)
        text << ' ' << each;
    } else {
      text << ' ' << value;
    }
    text << '\n';
  };
  text << "rule " << tasks::name_of(options.sinks.rule) << '\n'
       << "alpha " << options.sinks.alpha << '\n'
       << "tau " << options.sinks.tau << '\n'
       << "min-visible-rows " << options.sinks.min_visible_rows << '\n';
  write_strengths("beta", "betas", options.beta, !renormalises);
  text << "redistribution " << tasks::name_of(options.redistribute)
       << (subset ? " " + std::string(tasks::name_of(*subset)) : "") << '\n'
       << "theta " << options.theta << '\n'
       << "compatibility " << tasks::name_of(options.behave_as) << '\n';
  if (options.columns != column_choice::sinks || renormalises) {
    text << "columns " << tasks::columns_of({.options = options, .subset = subset}) << '\n';
    write_strengths("factor", "factors", options.factor, renormalises);
  }
  if (masks) text << "heads masked\n";
  for (const search_source& source : sources) {
    text << "task " << source.task << (source.final_space.value_or(true) ? "" : " without last space")
         << " scored by " << source.scoring << " of " << source.sha256 << " samples";
    for (const std::size_t index : source.indices)
      text << ' ' << index;
    text << '\n';
  }
  // Another tokenizer, prompt or treatment of long prompts gives other ids.
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const tasks::prepared_sample& sample = samples[i];
    text << "sample " << source(i) << ':' << sample.index << " label " << sample.label << " words";
    for (const runtime::token_id word : sample.words)
      text << ' ' << word;
    for (const std::vector<runtime::token_id>& answer : sample.greedy_tokens) {
      text << " said by";
      for (const runtime::token_id token : answer)
        text << ' ' << token;
    }
    text << " prompt";
    for (const runtime::token_id token : sample.prompt)
      text << ' ' << token;
    write_subset(text, sample.subset);
    for (std::size_t option = 0; option < sample.options.size(); ++option) {
      text << " option of " << sample.option_bytes[option] << " bytes from "
           << sample.options[option].first_scored;
      for (const runtime::token_id token : sample.options[option].tokens)
        text << ' ' << token;
      if (option < sample.option_subsets.size()) write_subset(text, sample.option_subsets[option]);
    }
    text << '\n';
  }
  return text.str();
}

}  // namespace act::search
