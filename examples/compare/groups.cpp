#include "compare/groups.hpp"

#include <act/error.hpp>
#include <act/runtime/load_model.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/task.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "compare/compared_heads.hpp"
#include "compare/options.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

/// What makes samples ready for the model.
struct preparation {
  const act::tasks::task& task;
  const act::runtime::loaded_model& loaded;
  const compare_options& options;
  std::optional<act::tasks::tokens_by_text> vocabulary = {};

  [[nodiscard]] act::tasks::prepared_samples of(const std::vector<act::tasks::sample>& samples,
                                                const std::string& file,
                                                std::optional<act::tasks::prompt_part> subset) {
    act::tasks::asking how{.scoring = options.scoring.rule(),
                           .special_tokens = options.scoring.special_tokens.written(),
                           .subset = subset,
                           .called = flag_names};
    if (how.scoring == act::tasks::scoring_rule::greedy) {
      if (!vocabulary) vocabulary.emplace(*loaded.tokenizer);
      how.vocabulary = &*vocabulary;
    }
    act::tasks::prepared_samples made = act::tasks::prepare(
        task, samples, *loaded.tokenizer, loaded.model.config.context, options.scoring.policy(), file, how);
    if (made.samples.empty())
      throw act::error(act::error_code::invalid_input, file, "no prompt fits the model's context");
    return made;
  }
};

std::vector<act::tasks::sample> samples_at(const std::vector<act::tasks::sample>& all,
                                           std::span<const std::size_t> indices, const std::string& file) {
  std::vector<act::tasks::sample> chosen;
  for (const std::size_t index : indices) {
    if (index >= all.size())
      throw act::error(act::error_code::mismatch, file, "has fewer samples than the heads file says");
    chosen.push_back(all[index]);
  }
  return chosen;
}

}  // namespace

std::vector<group> groups_of(const std::vector<compared_heads>& heads, const act::tasks::task& task,
                             const std::vector<act::tasks::sample>& chosen,
                             const act::runtime::loaded_model& loaded, const compare_options& options,
                             passed_over& passed) {
  preparation ready{.task = task, .loaded = loaded, .options = options};
  std::map<std::optional<act::tasks::prompt_part>, std::size_t> known_groups;
  std::map<std::tuple<std::size_t, std::string, std::vector<std::size_t>>, std::size_t> known_sets;
  std::vector<group> groups;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto [place, added] = known_groups.try_emplace(heads[i].subset, groups.size());
    if (added) {
      act::tasks::prepared_samples made = ready.of(chosen, ready.options.data, heads[i].subset);
      passed.too_long = made.skipped;
      passed.truncated = made.truncated;
      groups.push_back({.heads = {}, .samples = std::move(made.samples), .fitting = {}});
    }
    group& of = groups[place->second];
    const auto [set, is_new] = known_sets.try_emplace(
        {place->second, heads[i].fitting_file, heads[i].fitting_samples}, of.fitting.size());
    if (is_new) {
      of.fitting.emplace_back();
      if (ready.options.maps) {
        const std::string& file = heads[i].fitting_file;
        of.fitting.back().samples =
            ready
                .of(samples_at(act::tasks::read_samples(ready.task, file), heads[i].fitting_samples, file),
                    file, heads[i].subset)
                .samples;
      }
    }
    of.heads.push_back(i);
    of.fitting[set->second].heads.push_back(i);
  }
  return groups;
}

}  // namespace act_program
