// From samples to token ids: the prompt with its shots, and what is scored at its end.
#pragma once

#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/greedy_answers.hpp>
#include <act/tasks/likelihood.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>
#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// What to do with a prompt that is longer than the model's context.
enum class long_prompts {
  refuse,         ///< an error that names the sample
  skip,           ///< leave the sample out and count it
  truncate_left,  ///< keep the end: what is asked stands there
};

/// What is compared at a prompt's end.
enum class scoring_rule {
  words,       ///< logits of the label words or letters
  likelihood,  ///< log-probability a byte of each option's own text, without a list of letters
  greedy,      ///< the one most likely token of all; right when it is the label word or letter
  generated,   ///< open-ended: nothing is compared, text is generated after the prompt
};

/// How samples are asked.
struct asking {
  scoring_rule scoring = scoring_rule::words;
  std::function<std::vector<sample>(const sample&)> shots = {};  ///< those shown before a sample; unset: none
  const tokens_by_text* vocabulary = nullptr;  ///< greedy: the tokenizer's; unset: made in each call
  std::size_t new_tokens = 0;  ///< generated: the most an answer may have, for which a prompt leaves room
  std::optional<prompt_part> subset = {};  ///< whose positions redistribution::subset needs; unset: nobody's
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
  explicit word_tokens(const runtime::tokenizer& by) : tokenizer_(by) {}

  const std::vector<runtime::token_id>& of(const std::vector<std::string>& words, const std::string& where) {
    const auto known = made_.find(words);
    if (known != made_.end()) return known->second;
    std::vector<runtime::token_id> ids;
    for (const std::string& word : words) {
      const std::vector<runtime::token_id> tokens = tokenizer_.encode(word, false);
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
  const runtime::tokenizer& tokenizer_;
  std::map<std::vector<std::string>, std::vector<runtime::token_id>> made_;
};

// Tokens that say a task's words, found once for each list of words.
class greedy_words {
 public:
  greedy_words(const runtime::tokenizer& by, const tokens_by_text* vocabulary)
      : tokenizer_(by), known_(vocabulary) {}

  const runtime::answer_tokens& of(const std::vector<std::string>& words, const std::string& where,
                                   const std::string& otherwise) {
    const auto found = found_.find(words);
    if (found != found_.end()) return found->second;
    if (known_ == nullptr) known_ = &own_.emplace(tokenizer_);
    return found_.emplace(words, greedy_answers(*known_, words, where, otherwise)).first->second;
  }

 private:
  const runtime::tokenizer& tokenizer_;
  const tokens_by_text* known_;
  std::optional<tokens_by_text> own_;
  std::map<std::vector<std::string>, runtime::answer_tokens> found_;
};

// The prompt with each option, tokenised in one call; the option's tokens are those after the prompt's.
inline void add_options(prepared_sample& prepared, const likelihood_prompt& built,
                        const runtime::tokenizer& by, const std::string& where) {
  prepared.prompt = by.encode(built.context);
  for (const std::string& continuation : built.continuations) {
    runtime::scored_text option{.tokens = by.encode(built.context + continuation),
                                .first_scored = prepared.prompt.size()};
    if (option.first_scored == 0 || option.first_scored >= option.tokens.size()) {
      throw error(error_code::invalid_input, where,
                  "the option '" + continuation + "' has no tokens of its own after the prompt's " +
                      std::to_string(prepared.prompt.size()) + "; use other words");
    }
    prepared.options.push_back(std::move(option));
  }
  prepared.option_bytes = built.option_bytes;
}

// Where each text has the part that receives what sinks lose.
inline void add_subset(prepared_sample& prepared, const task& of, const sample& asked,
                       const std::string& prompt, const runtime::tokenizer& by, prompt_part part) {
  prepared.subset = token_positions(by, prompt, prepared.prompt, part_ranges(of, asked, prompt, part));
}
inline void add_subset(prepared_sample& prepared, const task& of, const sample& asked,
                       const likelihood_prompt& built, const runtime::tokenizer& by, prompt_part part) {
  for (std::size_t option = 0; option < prepared.options.size(); ++option) {
    const std::string text = built.context + built.continuations[option];
    prepared.option_subsets.push_back(token_positions(by, text, prepared.options[option].tokens,
                                                      part_ranges(of, asked, built, option, part)));
  }
}

// Nothing to give to is no redistribution to a subset.
inline void check_subsets(const prepared_sample& prepared, prompt_part part, bool cut,
                          const std::string& where) {
  const std::string named = part == prompt_part::question ? "question" : "choices";
  const auto check = [&](const std::vector<std::size_t>& subset) {
    if (!subset.empty()) return;
    throw error(
        error_code::invalid_input, where,
        "has no token of its " + named +
            (cut ? " left after the cut to the model's context, for sinks to give to; use --long-prompts skip"
                 : ", for sinks to give to; leave the sample out, or use another --redistribution"));
  };
  if (prepared.options.empty()) check(prepared.subset);
  for (const std::vector<std::size_t>& subset : prepared.option_subsets)
    check(subset);
}

// The longest text that scoring the sample runs.
[[nodiscard]] inline std::size_t longest_text(const prepared_sample& prepared) {
  std::size_t longest = prepared.prompt.size();
  for (const runtime::scored_text& option : prepared.options)
    longest = std::max(longest, option.tokens.size());
  return longest;
}

// Keeps the last `context` tokens of the prompt and of every option's text.
inline void cut_left(prepared_sample& prepared, std::size_t context, const std::string& where) {
  const auto cut = [&](std::vector<runtime::token_id>& tokens, std::vector<std::size_t>* subset) {
    const std::size_t count = tokens.size() > context ? tokens.size() - context : 0;
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count));
    if (subset == nullptr) return count;
    std::erase_if(*subset, [count](std::size_t position) { return position < count; });
    for (std::size_t& position : *subset)
      position -= count;
    return count;
  };
  cut(prepared.prompt, &prepared.subset);
  for (std::size_t i = 0; i < prepared.options.size(); ++i) {
    runtime::scored_text& option = prepared.options[i];
    const std::size_t count =
        cut(option.tokens, prepared.option_subsets.empty() ? nullptr : &prepared.option_subsets[i]);
    if (count >= option.first_scored) {
      throw error(error_code::invalid_input, where,
                  "one of its options alone is longer than the model's context; use --long-prompts skip");
    }
    option.first_scored -= count;
  }
}

}  // namespace detail

/// Tokenises the samples' prompts, in one call each with the tokenizer's usual special tokens, and what is
/// scored at their end. `context` is the model's longest sequence; `file` is for messages. Throws `error`
/// (invalid_input), naming the sample, for a prompt that is too long (unless told otherwise), for words that
/// can't be told apart, for options without tokens, for a text that has none of `how.subset` (or none left,
/// cut) and, greedy, for words that no single token says; (unsupported) for a task that the scoring doesn't
/// fit; (invalid_option) as check_part.
[[nodiscard]] inline prepared_samples prepare(const task& of, std::span<const sample> samples,
                                              const runtime::tokenizer& by, std::size_t context,
                                              long_prompts policy, const std::string& file,
                                              const asking& how = {}) {
  if (how.subset) check_part(of, *how.subset);
  prepared_samples result;
  detail::word_tokens words(by);
  detail::greedy_words greedy(by, how.vocabulary);
  if (how.new_tokens >= context) {
    throw error(error_code::invalid_option, "max-new-tokens",
                "leaves a prompt no room in the model's context of " + std::to_string(context) +
                    " tokens; ask for fewer");
  }
  const std::size_t room = context - how.new_tokens;
  for (const sample& each : samples) {
    const std::string where = file + ": sample " + std::to_string(each.index);
    const std::vector<sample> shots = how.shots ? how.shots(each) : std::vector<sample>();
    prepared_sample prepared{.index = each.index, .label = each.label, .prompt = {}, .words = {}};
    if (how.scoring == scoring_rule::likelihood) {
      const likelihood_prompt built = build_likelihood_prompt(of, each, shots);
      detail::add_options(prepared, built, by, where);
      if (how.subset) detail::add_subset(prepared, of, each, built, by, *how.subset);
    } else {
      const std::string prompt = build_prompt(of, each, shots);
      prepared.prompt = by.encode(prompt);
      if (how.subset) detail::add_subset(prepared, of, each, prompt, by, *how.subset);
      if (how.scoring == scoring_rule::greedy) {
        prepared.greedy_tokens = greedy.of(scored_words(of, each), where,
                                           of.kind == task_kind::multiple_choice ? "letters" : "labels");
      } else if (how.scoring == scoring_rule::words) {
        prepared.words = words.of(scored_words(of, each), where);
      }
    }
    if (prepared.answers() == 0 && how.scoring != scoring_rule::generated) {
      throw error(error_code::unsupported, where, "task '" + of.name + "' has no words to score");
    }
    const std::size_t longest = detail::longest_text(prepared);
    if (longest > room) {
      if (policy == long_prompts::refuse) {
        throw error(error_code::invalid_input, where,
                    "its prompt has " + std::to_string(longest) + " tokens" +
                        (how.new_tokens > 0 ? ", its answer up to " + std::to_string(how.new_tokens) : "") +
                        ", the model's context is " + std::to_string(context) +
                        "; use --long-prompts skip or truncate-left");
      }
      if (policy == long_prompts::skip) {
        ++result.skipped;
        continue;
      }
      detail::cut_left(prepared, room, where);
      ++result.truncated;
    }
    if (how.subset) detail::check_subsets(prepared, *how.subset, longest > room, where);
    result.samples.push_back(std::move(prepared));
  }
  return result;
}

}  // namespace act::tasks
