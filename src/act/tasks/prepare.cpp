#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/greedy_answers.hpp>
#include <act/tasks/likelihood.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace act::tasks {

namespace {

// Ids of the last sub-tokens of a task's words, made once for each list of words.
class word_tokens {
 public:
  word_tokens(const runtime::tokenizer& by, runtime::special_tokens_in_text written)
      : tokenizer_(by), written_(written) {}

  const std::vector<runtime::token_id>& of(const std::vector<std::string>& words, const std::string& where) {
    const auto known = made_.find(words);
    if (known != made_.end()) return known->second;
    std::vector<runtime::token_id> ids;
    for (const std::string& word : words) {
      const std::vector<runtime::token_id> tokens = tokenizer_.encode(word, written_, false);
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
  runtime::special_tokens_in_text written_;
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
void add_options(prepared_sample& prepared, const likelihood_prompt& built, const runtime::tokenizer& by,
                 runtime::special_tokens_in_text written, const std::string& where) {
  prepared.prompt = by.encode(built.context, written);
  for (const std::string& continuation : built.continuations) {
    runtime::scored_text option{.tokens = by.encode(built.context + continuation, written),
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

// Where each text has the part that receives what sinks lose, or that is changed itself.
void add_subset(prepared_sample& prepared, const task& of, const sample& asked, const std::string& prompt,
                const runtime::tokenizer& by, prompt_part part, runtime::special_tokens_in_text written) {
  prepared.subset =
      token_positions(by, prompt, prepared.prompt, part_ranges(of, asked, prompt, part), written);
}
void add_subset(prepared_sample& prepared, const task& of, const sample& asked,
                const likelihood_prompt& built, const runtime::tokenizer& by, prompt_part part,
                runtime::special_tokens_in_text written) {
  for (std::size_t option = 0; option < prepared.options.size(); ++option) {
    const std::string text = built.context + built.continuations[option];
    prepared.option_subsets.push_back(token_positions(by, text, prepared.options[option].tokens,
                                                      part_ranges(of, asked, built, option, part), written));
  }
}

// Nothing to give to is no redistribution to a subset, and nothing to change no span.
void check_subsets(const prepared_sample& prepared, prompt_part part, bool cut, const std::string& where,
                   const choice_names& called) {
  const std::string named(name_of(part));
  const std::string purpose(called.purpose);
  const auto check = [&](const std::vector<std::size_t>& subset) {
    if (!subset.empty()) return;
    const std::string why =
        cut ? " left after the cut to the model's context, " + purpose + "; use " +
                  std::string(called.long_prompts) + " skip"
            : ", " + purpose + "; leave the sample out, or use another " + std::string(called.redistribution);
    throw error(error_code::invalid_input, where, "has no token of its " + named + why);
  };
  if (prepared.options.empty()) check(prepared.subset);
  for (const std::vector<std::size_t>& subset : prepared.option_subsets)
    check(subset);
}

// The longest text that scoring the sample runs.
std::size_t longest_text(const prepared_sample& prepared) {
  std::size_t longest = prepared.prompt.size();
  for (const runtime::scored_text& option : prepared.options)
    longest = std::max(longest, option.tokens.size());
  return longest;
}

// Keeps the last `context` tokens of the prompt and of every option's text.
void cut_left(prepared_sample& prepared, std::size_t context, const std::string& where,
              const choice_names& called) {
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
                  "one of its options alone is longer than the model's context; use " +
                      std::string(called.long_prompts) + " skip");
    }
    option.first_scored -= count;
  }
}

}  // namespace

prepared_samples prepare(const task& of, std::span<const sample> samples, const runtime::tokenizer& by,
                         std::size_t context, long_prompts policy, const std::string& file,
                         const asking& how) {
  if (how.subset) check_part(of, *how.subset, how.called);
  prepared_samples result;
  word_tokens words(by, how.special_tokens);
  greedy_words greedy(by, how.vocabulary);
  if (how.new_tokens >= context) {
    throw error(error_code::invalid_option, "max-new-tokens",
                "leaves a prompt no room in the model's context of " + std::to_string(context) +
                    " tokens; ask for fewer");
  }
  const std::size_t room = context - how.new_tokens;
  const std::string otherwise =
      std::string(how.called.scoring) + (of.kind == task_kind::multiple_choice ? " letters" : " labels");
  for (const sample& each : samples) {
    const std::string where = file + ": sample " + std::to_string(each.index);
    const std::vector<sample> shots = how.shots ? how.shots(each) : std::vector<sample>();
    prepared_sample prepared{.index = each.index, .label = each.label, .prompt = {}, .words = {}};
    if (how.scoring == scoring_rule::likelihood) {
      const likelihood_prompt built = build_likelihood_prompt(of, each, shots, how.called);
      add_options(prepared, built, by, how.special_tokens, where);
      if (how.subset) add_subset(prepared, of, each, built, by, *how.subset, how.special_tokens);
    } else {
      const std::string prompt = build_prompt(of, each, shots);
      prepared.prompt = by.encode(prompt, how.special_tokens);
      if (how.subset) add_subset(prepared, of, each, prompt, by, *how.subset, how.special_tokens);
      if (how.scoring == scoring_rule::greedy) {
        prepared.greedy_tokens = greedy.of(scored_words(of, each), where, otherwise);
      } else if (how.scoring == scoring_rule::words) {
        prepared.words = words.of(scored_words(of, each), where);
      }
    }
    if (prepared.answers() == 0 && how.scoring != scoring_rule::generated) {
      throw error(error_code::unsupported, where, "task '" + of.name + "' has no words to score");
    }
    const std::size_t longest = longest_text(prepared);
    if (longest > room) {
      if (policy == long_prompts::refuse) {
        throw error(error_code::invalid_input, where,
                    "its prompt has " + std::to_string(longest) + " tokens" +
                        (how.new_tokens > 0 ? ", its answer up to " + std::to_string(how.new_tokens) : "") +
                        ", the model's context is " + std::to_string(context) + "; use " +
                        std::string(how.called.long_prompts) + " skip or truncate-left");
      }
      if (policy == long_prompts::skip) {
        ++result.skipped;
        continue;
      }
      cut_left(prepared, room, where, how.called);
      ++result.truncated;
    }
    if (how.subset) check_subsets(prepared, *how.subset, longest > room, where, how.called);
    result.samples.push_back(std::move(prepared));
  }
  return result;
}

}  // namespace act::tasks
