#include <act/error.hpp>
#include <act/io/sha256.hpp>
#include <act/suite/cell.hpp>
#include <act/tasks/domain_prior.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/prior.hpp>
#include <act/tasks/scoring_names.hpp>
#include <act/tasks/shots.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace act::suite {

namespace {

using prepared_list = std::vector<tasks::prepared_sample>;

void add(io::sha256& digest, std::span<const runtime::token_id> tokens) {
  const std::uint64_t count = tokens.size();
  digest.update(std::as_bytes(std::span(&count, 1))).update(std::as_bytes(tokens));
}

// Of all that is run of them: equal texts of equal samples, whatever version of act made them.
std::string prompts_sha256(const prepared_list& scored, const prepared_list& labelled) {
  io::sha256 digest;
  for (const prepared_list* list : {&scored, &labelled}) {
    for (const tasks::prepared_sample& each : *list) {
      const std::uint64_t numbers[] = {each.index, each.label, each.options.size(),
                                       each.greedy_tokens.size()};
      digest.update(std::as_bytes(std::span(numbers)));
      add(digest, each.prompt);
      add(digest, each.words);
      for (const runtime::scored_text& option : each.options)
        add(digest, option.tokens);
      for (const auto& tokens : each.greedy_tokens)
        add(digest, tokens);
    }
  }
  return digest.hex();
}

tasks::asking asking_for(const suite_task& task, const tasks::tokens_by_text* vocabulary) {
  if (task.generates()) {
    return {.scoring = tasks::scoring_rule::generated,
            .special_tokens = task.special_tokens ? runtime::special_tokens_in_text::are_tokens
                                                  : runtime::special_tokens_in_text::are_text,
            .new_tokens = task.max_new_tokens};
  }
  return {.scoring = tasks::scoring_named(task.scoring),
          .vocabulary = vocabulary,
          .special_tokens = task.special_tokens ? runtime::special_tokens_in_text::are_tokens
                                                : runtime::special_tokens_in_text::are_text};
}

// Makes the samples of a cell ready, always in the same way.
class preparation {
 public:
  preparation(const suite_task& task, const runtime::loaded_model& loaded) : task_(&task), loaded_(&loaded) {
    if (task.scoring == "greedy") vocabulary_.emplace(*loaded.tokenizer);
    how_ = asking_for(task, vocabulary_ ? &*vocabulary_ : nullptr);
  }

  void show(std::function<std::vector<tasks::sample>(const tasks::sample&)> shots) {
    how_.shots = std::move(shots);
  }

  [[nodiscard]] tasks::prepared_samples of(std::span<const tasks::sample> samples, const std::string& file,
                                           tasks::long_prompts policy,
                                           std::optional<tasks::prompt_part> part = {}) const {
    tasks::asking how = how_;
    how.subset = part;
    return tasks::prepare(task_->task, samples, *loaded_->tokenizer, loaded_->model.config.context, policy,
                          file, how);
  }

 private:
  const suite_task* task_;
  const runtime::loaded_model* loaded_;
  std::optional<tasks::tokens_by_text> vocabulary_;
  tasks::asking how_;
};

std::function<std::vector<tasks::sample>(const tasks::sample&)> shots_of(const asked_cell& asked,
                                                                         bool same_file) {
  if (asked.task.generates()) {
    return [&all = asked.data.all, count = asked.shots](const tasks::sample& of) {
      std::vector<tasks::sample> shown;
      for (const std::size_t position : tasks::paragraph_shots(all, of.index, count))
        shown.push_back(all[position]);
      return shown;
    };
  }
  return tasks::few_shots(asked.task.task, asked.data.shot_pool, asked.shots, asked.shot_seed, same_file,
                          asked.task.balanced_shots);
}

// A sample that fits mustn't lose its prior, so a prompt without content isn't skipped.
tasks::long_prompts unskipped(tasks::long_prompts policy) {
  return policy == tasks::long_prompts::skip ? tasks::long_prompts::truncate_left : policy;
}

void add_priors(cell& made, const asked_cell& asked, const preparation& ready,
                const suite_baselines& baselines) {
  if (baselines.contextual) {
    prepared_list content_free;
    std::vector<tasks::sample> emptied;
    std::size_t at = 0;
    for (const tasks::sample& each : asked.scored) {
      if (at == made.scored.size() || made.scored[at].index != each.index) continue;  // too long
      ++at;
      emptied.push_back(
          tasks::content_free(asked.task.task, each, asked.task.scoring == "likelihood", asked.task.data));
    }
    made.prior =
        tasks::prior_prompts_of(ready.of(emptied, asked.task.data, unskipped(asked.task.policy)).samples);
  }
  if (baselines.domain) {
    const std::vector<tasks::sample> random =
        tasks::random_domain_samples(asked.task.task, asked.scored, tasks::domain_texts, asked.seed);
    made.domain = ready.of(random, asked.task.data, tasks::long_prompts::truncate_left).samples;
    for (std::size_t i = 0; i < made.domain.size(); ++i)
      made.domain[i].index = i;
  }
}

io::json_document identity_of(const asked_cell& asked, const cell& made) {
  const suite_task& task = asked.task;
  auto document = io::json_document::object({{"model", runtime::to_json(asked.identity)},
                                             {"model_name", asked.model.name},
                                             {"task", task.task.name},
                                             {"task_name", task.name},
                                             {"scoring", task.scoring},
                                             {"final_space", task.final_space},
                                             {"special_tokens", task.special_tokens},
                                             {"data_sha256", asked.data.sha256},
                                             {"samples", made.scored.size()},
                                             {"seed", asked.seed},
                                             {"shots", asked.shots}});
  if (asked.shots > 0 && !task.generates()) {
    document.set("shot_seed", asked.shot_seed);
    document.set("balanced_shots", task.balanced_shots);
    document.set("shots_sha256", asked.data.shots_sha256);
  }
  if (task.labelled > 0) {
    document.set("labelled_sha256", asked.data.labelled_sha256);
    document.set("labelled", made.labelled.size());
  }
  if (task.generates()) document.set("max_new_tokens", task.max_new_tokens);
  document.set("prompts_sha256", prompts_sha256(made.scored, made.labelled));
  return document;
}

}  // namespace

suite_baselines applicable(const suite_baselines& all, const suite_task& task) {
  suite_baselines made;
  if (task.generates() || task.scoring == "greedy") return made;
  const bool classification = task.task.kind == tasks::task_kind::classification;
  const bool shared_labels = task.scoring != "likelihood";
  made.contextual = all.contextual && task.task.kind != tasks::task_kind::verbatim;
  made.batch = all.batch && shared_labels;
  made.domain = all.domain && classification;
  made.bias = all.bias && shared_labels && task.labelled > 0;
  made.linear = all.linear && shared_labels && task.labelled > 0;
  return made;
}

cell prepare_cell(const asked_cell& asked, const suite_baselines& baselines,
                  const std::vector<tasks::prompt_part>& parts) {
  const suite_task& task = asked.task;
  preparation ready(task, asked.loaded);
  if (asked.shots > 0) ready.show(shots_of(asked, asked.data.shots_sha256 == asked.data.sha256));
  cell made;
  tasks::prepared_samples scored = ready.of(asked.scored, task.data, task.policy);
  made.scored = std::move(scored.samples);
  made.skipped = scored.skipped;
  made.truncated = scored.truncated;
  if (made.scored.empty())
    throw error(error_code::invalid_input, task.data, "no prompt fits the model's context");
  for (const tasks::prompt_part part : parts)
    made.scored_with[part] = ready.of(asked.scored, task.data, task.policy, part).samples;
  add_priors(made, asked, ready, baselines);
  if (task.labelled > 0) {
    if (asked.shots > 0) ready.show(shots_of(asked, asked.data.shots_sha256 == asked.data.labelled_sha256));
    const std::vector<tasks::sample> labelled = asked.data.labelled_samples();
    made.labelled = ready.of(labelled, task.file_of_labelled(), task.policy).samples;
    for (const tasks::prompt_part part : parts)
      made.labelled_with[part] = ready.of(labelled, task.file_of_labelled(), task.policy, part).samples;
  }
  made.identity = identity_of(asked, made);
  return made;
}

std::vector<tasks::prepared_sample> prepare_labelled(const suite_task& task, const task_data& data,
                                                     const runtime::loaded_model& loaded,
                                                     std::optional<tasks::prompt_part> part) {
  const preparation ready(task, loaded);
  return ready.of(data.labelled_samples(), task.file_of_labelled(), task.policy, part).samples;
}

}  // namespace act::suite
