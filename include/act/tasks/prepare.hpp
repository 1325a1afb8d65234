// From samples to token ids: the prompt, and the last sub-token of each scored word.
#pragma once

#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>
#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace act::inline ACT_ABI {

/// What to do with a prompt that is longer than the model's context.
enum class long_prompts {
  refuse,         ///< an error that names the sample
  skip,           ///< leave the sample out and count it
  truncate_left,  ///< keep the end: what is asked stands there
};

struct prepared_samples {
  std::vector<prepared_sample> samples;
  std::size_t skipped = 0;    ///< samples left out by long_prompts::skip
  std::size_t truncated = 0;  ///< prompts shortened by long_prompts::truncate_left
};

namespace detail {

// Ids of the last sub-tokens of a task's words, made once for each list of words.
class word_tokens {
 public:
  explicit word_tokens(const tokenizer& by) : tokenizer_(by) {}

  const std::vector<token_id>& of(const std::vector<std::string>& words, const std::string& where) {
    const auto known = made_.find(words);
    if (known != made_.end()) return known->second;
    std::vector<token_id> ids;
    for (const std::string& word : words) {
      const std::vector<token_id> tokens = tokenizer_.encode(word, false);
      if (tokens.empty())
        throw error(error_code::invalid_input, where, "the scored word '" + word + "' has no tokens");
      const auto same = std::find(ids.begin(), ids.end(), tokens.back());
      if (same != ids.end()) {
        throw error(error_code::invalid_input, where,
                    "the words '" + words[static_cast<std::size_t>(same - ids.begin())] + "' and '" + word +
                        "' end in the same sub-token with this tokenizer, so their scores can't differ; use "
                        "other words");
      }
      ids.push_back(tokens.back());
    }
    return made_.emplace(words, std::move(ids)).first->second;
  }

 private:
  const tokenizer& tokenizer_;
  std::map<std::vector<std::string>, std::vector<token_id>> made_;
};

}  // namespace detail

/// Tokenises the samples' prompts, in one call each with the tokenizer's usual special tokens, and their
/// scored words, without. `context` is the model's longest sequence; `file` is for messages. Throws `error`
/// (invalid_input), naming the sample, for a prompt that is too long (unless told otherwise) and for words
/// that can't be told apart.
[[nodiscard]] inline prepared_samples prepare(const task& of, std::span<const sample> samples,
                                              const tokenizer& by, std::size_t context, long_prompts policy,
                                              const std::string& file) {
  prepared_samples result;
  detail::word_tokens words(by);
  for (const sample& each : samples) {
    const std::string where = file + ": sample " + std::to_string(each.index);
    prepared_sample prepared{.index = each.index,
                             .label = each.label,
                             .prompt = by.encode(build_prompt(of, each)),
                             .words = words.of(scored_words(of, each), where)};
    if (prepared.words.empty()) {
      throw error(error_code::unsupported, where, "task '" + of.name + "' has no words to score");
    }
    if (prepared.prompt.size() > context) {
      if (policy == long_prompts::refuse) {
        throw error(error_code::invalid_input, where,
                    "its prompt has " + std::to_string(prepared.prompt.size()) +
                        " tokens, the model's context is " + std::to_string(context) +
                        "; use --long-prompts skip or truncate-left");
      }
      if (policy == long_prompts::skip) {
        ++result.skipped;
        continue;
      }
      prepared.prompt.erase(prepared.prompt.begin(),
                            prepared.prompt.end() - static_cast<std::ptrdiff_t>(context));
      ++result.truncated;
    }
    result.samples.push_back(std::move(prepared));
  }
  return result;
}

}  // namespace act::inline ACT_ABI
