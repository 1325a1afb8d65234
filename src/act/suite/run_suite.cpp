#include <act/error.hpp>
#include <act/io/sha256.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/suite/cell.hpp>
#include <act/suite/run_suite.hpp>
#include <act/suite/suite_ways.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/shots.hpp>
#include <act/tasks/squad_metrics.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace act::suite {

namespace {

constexpr std::size_t tokens_per_batch = 1024;

using prepared_list = std::vector<tasks::prepared_sample>;

std::vector<std::uint64_t> seeds_of(const suite_task& task, std::size_t shots) {
  std::vector<std::uint64_t> seeds{0};
  if (shots == 0 || task.generates() || !tasks::shots_are_drawn(task.task)) return seeds;
  for (std::size_t run = 1; run < task.shot_seeds; ++run)
    seeds.push_back(tasks::shot_seed(run));
  return seeds;
}

std::string name_of(tasks::task_kind kind) {
  switch (kind) {
    case tasks::task_kind::classification:
      return "classification";
    case tasks::task_kind::multiple_choice:
      return "multiple-choice";
    case tasks::task_kind::open_ended:
      return "generated";
    case tasks::task_kind::verbatim:
      break;
  }
  return "own";
}

// A way of scoring a cell, with its row in the store.
struct cell_run {
  const calibrated_way* way = nullptr;  ///< none: plain
  stored_run row;
};

class suite_runner {
 public:
  suite_runner(const suite& of, store& results, const suite_maker* made, const suite_listener& listener)
      : of_(of), store_(results), made_(made), listener_(listener) {}

  std::vector<planned_cell> run() {
    for (const suite_task& task : of_.tasks)
      data_.emplace(task.name, read_task_data(task, of_.seed));
    if (!dry()) open_suite();
    for (const suite_model& model : of_.models)
      run_model(model);
    return std::move(planned_);
  }

 private:
  [[nodiscard]] bool dry() const noexcept { return made_ == nullptr; }

  // What the suite no longer has isn't its own any more; what it still has is replaced cell by cell.
  void open_suite() {
    suite_ = store_.open_suite(of_.path, of_.ablation);
    const auto named = [](const auto& all, const std::string& name) {
      return std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
    };
    for (const stored_run& run : store_.runs_of(suite_)) {
      const auto task = named(of_.tasks, run.task);
      const bool has = named(of_.models, run.model) != of_.models.end() && task != of_.tasks.end() &&
                       std::find(task->shots.begin(), task->shots.end(), run.shots) != task->shots.end();
      if (!has) store_.retire(suite_, run.model, run.task, run.shots);
    }
  }

  void run_model(const suite_model& model) {
    const runtime::loaded_model loaded = runtime::load_model(model.path, model.compute);
    for (const std::string& notice : loaded.notices) {
      if (listener_.remark) listener_.remark(notice);
    }
    const runtime::model_identity identity = runtime::identity_of(loaded.model);
    suite_ways all_ways(of_, model, loaded, identity, data_);
    const search_listener searches{.begins = listener_.search_begins, .advanced = listener_.searching};
    for (const suite_task& task : of_.tasks) {
      const task_data& data = data_.find(task.name)->second;
      const std::vector<calibrated_way> ways = all_ways.of_task(task, store_, dry() ? nullptr : &searches);
      std::set<std::size_t> seen;
      for (const calibrated_way& way : ways)
        seen.insert(way.seen.begin(), way.seen.end());
      const std::vector<tasks::sample> scored = scored_samples(task, data, seen, of_.seed);
      for (const std::size_t shots : task.shots) {
        if (!dry()) store_.retire(suite_, model.name, task.name, shots);
        for (const std::uint64_t shot_seed : seeds_of(task, shots)) {
          run_cell({.model = model,
                    .loaded = loaded,
                    .identity = identity,
                    .task = task,
                    .data = data,
                    .scored = scored,
                    .shots = shots,
                    .shot_seed = shot_seed,
                    .seed = of_.seed},
                   ways);
        }
      }
    }
  }

  // What report and repetition need beyond the identity.
  [[nodiscard]] io::json_document record_of(const asked_cell& asked, const cell& made,
                                            const suite_baselines& baselines) const {
    io::json_document record = made.identity;
    record.set("kind", name_of(asked.task.task.kind));
    auto chosen = io::json_document::array();
    for (const auto& [wanted, name] :
         {std::pair(baselines.contextual, "contextual"), std::pair(baselines.batch, "batch"),
          std::pair(baselines.domain, "domain"), std::pair(baselines.bias, "bias"),
          std::pair(baselines.linear, "linear")}) {
      if (wanted) chosen.push_back(name);
    }
    record.set("baselines", std::move(chosen));
    record.set("too_long", made.skipped);
    record.set("truncated", made.truncated);
    record.set("suite", of_.path);
    record.set("model_path", asked.model.path);
    record.set("data", asked.task.data);
    if (asked.task.labelled > 0) record.set("labelled_data", asked.task.file_of_labelled());
    if (asked.shots > 0 && !asked.task.generates()) record.set("shot_data", asked.task.shot_data);
    if (asked.task.generates())
      record.set("squad_rules", tasks::rules_of(asked.data.all) == tasks::squad_rules::v2 ? 2 : 1);
    std::vector<std::size_t> samples;
    for (const tasks::prepared_sample& each : made.scored)
      samples.push_back(each.index);
    record.set("scored_samples", samples);
    if (asked.task.labelled > 0) record.set("labelled_samples", asked.data.labelled);
    return record;
  }

  [[nodiscard]] std::vector<cell_run> runs_of(const asked_cell& asked, const cell& made,
                                              const suite_baselines& baselines,
                                              const std::vector<calibrated_way>& ways) const {
    const std::string cell_id = io::sha256().update(made.identity.text()).hex();
    const io::json_document record = record_of(asked, made, baselines);
    std::vector<cell_run> runs;
    const auto add = [&](const calibrated_way* way) {
      io::json_document identity = made.identity;
      io::json_document all = record;
      const std::string method = way == nullptr ? "plain" : way->name;
      identity.set("method", method);
      all.set("method", method);
      if (way != nullptr) {
        identity.update(way->record);
        all.update(way->record);
        if (!way->search.empty()) all.set("search", way->search);
      }
      runs.push_back({.way = way,
                      .row = {.identity = io::sha256().update(identity.text()).hex(),
                              .cell = cell_id,
                              .model = asked.model.name,
                              .task = asked.task.name,
                              .shots = asked.shots,
                              .shot_seed = asked.shot_seed,
                              .method = method,
                              .record = all.text()}});
    };
    add(nullptr);
    for (const calibrated_way& way : ways) {
      if (way.known) add(&way);
    }
    return runs;
  }

  void run_cell(const asked_cell& asked, const std::vector<calibrated_way>& ways) {
    const suite_baselines baselines = applicable(of_.baselines, asked.task);
    std::vector<tasks::prompt_part> parts;
    for (const calibrated_way& way : ways) {
      if (way.part && std::find(parts.begin(), parts.end(), *way.part) == parts.end())
        parts.push_back(*way.part);
    }
    const cell made = prepare_cell(asked, baselines, parts);
    std::vector<cell_run> runs = runs_of(asked, made, baselines, ways);
    if (dry()) {
      plan_cell(asked, made, baselines, runs, ways);
      return;
    }
    for (cell_run& run : runs)
      run.row.id = store_.open_run(suite_, run.row, made_->program, made_->date);
    const std::size_t known = known_rows(made, baselines, runs, asked.task.generates());
    if (listener_.cell_begins) {
      std::string name = asked.model.name + ", " + asked.task.name;
      if (asked.shots > 0)
        name += ", " + std::to_string(asked.shots) + " shots, seed " + std::to_string(asked.shot_seed);
      listener_.cell_begins(name, wanted_rows(made, baselines, runs, asked.task.generates()), known);
    }
    if (asked.task.generates()) {
      answer(asked, made, runs);
    } else {
      score(asked, score_part::scored, made.scored, made.scored_with, runs);
      if (baselines.maps()) score(asked, score_part::labelled, made.labelled, made.labelled_with, runs);
      if (baselines.domain) score(asked, score_part::domain, made.domain, {}, std::span(runs).first(1));
      if (made.prior) score_priors(asked, made, runs.front());
    }
    if (listener_.cell_ends) listener_.cell_ends();
  }

  // Rows of the store that a cell has when it is whole: a sample a way.
  static std::size_t wanted_rows(const cell& made, const suite_baselines& baselines,
                                 std::span<const cell_run> runs, bool generates) {
    std::size_t rows = made.scored.size() * runs.size();
    if (generates) return rows;
    if (baselines.maps()) rows += made.labelled.size() * runs.size();
    if (baselines.domain) rows += made.domain.size();
    if (made.prior) rows += made.scored.size();
    return rows;
  }

  std::size_t known_rows(const cell& made, const suite_baselines& baselines, std::span<const cell_run> runs,
                         bool generates) {
    std::size_t rows = 0;
    for (const cell_run& run : runs) {
      if (run.row.id == 0) continue;
      if (generates) {
        rows += store_.answers(run.row.id).size();
        continue;
      }
      rows += store_.known(run.row.id, score_part::scored).size();
      if (baselines.maps()) rows += store_.known(run.row.id, score_part::labelled).size();
      if (run.way != nullptr) continue;
      if (baselines.domain) rows += store_.known(run.row.id, score_part::domain).size();
      if (made.prior) rows += store_.known(run.row.id, score_part::prior).size();
    }
    return rows;
  }

  void plan_cell(const asked_cell& asked, const cell& made, const suite_baselines& baselines,
                 std::vector<cell_run>& runs, const std::vector<calibrated_way>& ways) {
    planned_cell plan{.model = asked.model.name,
                      .task = asked.task.name,
                      .shots = asked.shots,
                      .shot_seed = asked.shot_seed,
                      .samples = made.scored.size(),
                      .labelled = baselines.maps() ? made.labelled.size() : 0,
                      .skipped = made.skipped,
                      .ways = {"plain"},
                      .to_search = {}};
    for (const calibrated_way& way : ways) {
      plan.ways.push_back(way.name);
      if (!way.known) plan.to_search.push_back(way.name);
    }
    for (cell_run& run : runs)
      run.row.id = store_.find_run(run.row.identity).value_or(0);
    plan.known = known_rows(made, baselines, runs, asked.task.generates());
    const std::size_t unknown = plan.to_search.size();
    plan.wanted =
        wanted_rows(made, baselines, runs, asked.task.generates()) + unknown * (plan.samples + plan.labelled);
    planned_.push_back(std::move(plan));
  }

  // Every sample of one part that a run lacks, in batches.
  void score(const asked_cell& asked, score_part part, const prepared_list& samples,
             const std::map<tasks::prompt_part, prepared_list>& with_parts, std::span<const cell_run> runs) {
    std::vector<std::set<std::size_t>> known;
    for (const cell_run& run : runs) {
      const std::vector<std::size_t> there = store_.known(run.row.id, part);
      known.emplace_back(there.begin(), there.end());
    }
    const auto lacks = [&](std::size_t sample) {
      return std::any_of(known.begin(), known.end(),
                         [&](const auto& there) { return !there.contains(samples[sample].index); });
    };
    std::vector<std::size_t> pending;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (lacks(i)) pending.push_back(i);
    }
    for (std::size_t first = 0; first < pending.size();) {
      std::size_t count = 0;
      for (std::size_t tokens = 0; first + count < pending.size(); ++count) {
        tokens += samples[pending[first + count]].tokens();
        if (count > 0 && tokens > tokens_per_batch) break;
      }
      score_batch(asked, part, samples, with_parts, runs, std::span(pending).subspan(first, count), known);
      first += count;
    }
  }

  void score_batch(const asked_cell& asked, score_part part, const prepared_list& samples,
                   const std::map<tasks::prompt_part, prepared_list>& with_parts,
                   std::span<const cell_run> runs, std::span<const std::size_t> batch,
                   const std::vector<std::set<std::size_t>>& known) {
    // Runs that lack any of it, by the part of each prompt that they want.
    std::map<std::optional<tasks::prompt_part>, std::vector<std::size_t>> groups;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const bool whole = std::all_of(batch.begin(), batch.end(), [&](std::size_t sample) {
        return known[run].contains(samples[sample].index);
      });
      if (!whole) groups[runs[run].way == nullptr ? std::nullopt : runs[run].way->part].push_back(run);
    }
    std::vector<std::pair<std::size_t, statistics::score_table>> rows;
    for (const auto& [wanted, members] : groups) {
      const prepared_list& from = wanted ? with_parts.at(*wanted) : samples;
      prepared_list together;
      for (const std::size_t sample : batch)
        together.push_back(from[sample]);
      std::vector<runtime::model_calibration> calibrations;
      for (const std::size_t run : members) {
        if (runs[run].way != nullptr) calibrations.push_back(runs[run].way->calibration);
      }
      tasks::scores_of_each scores = tasks::score_with_each(asked.loaded.model, together, calibrations);
      std::size_t next = 0;
      for (const std::size_t run : members) {
        const cell_run& one = runs[run];
        // Where no head is calibrated the scores are the plain ones.
        const bool plain = one.way == nullptr || one.way->calibration.heads.empty();
        rows.emplace_back(run, plain ? scores.plain : scores.calibrated[next]);
        if (one.way != nullptr) ++next;
      }
    }
    sqlite::transaction whole = store_.begin();
    std::size_t added = 0;
    for (const auto& [run, table] : rows) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        const tasks::prepared_sample& sample = samples[batch[i]];
        store_.save(runs[run].row.id, part, sample.index, sample.label, table[i]);
        added += known[run].contains(sample.index) ? 0 : 1;
      }
    }
    whole.commit();
    if (listener_.advanced) listener_.advanced(added);
  }

  // Each distinct prompt once, for all samples whose it is.
  void score_priors(const asked_cell& asked, const cell& made, const cell_run& plain) {
    const std::vector<std::size_t> there = store_.known(plain.row.id, score_part::prior);
    std::vector<std::vector<std::size_t>> samples_of(made.prior->distinct.size());
    for (std::size_t i = 0; i < made.scored.size(); ++i) {
      if (!std::binary_search(there.begin(), there.end(), made.scored[i].index))
        samples_of[made.prior->of_sample[i]].push_back(i);
    }
    for (std::size_t prompt = 0; prompt < samples_of.size(); ++prompt) {
      if (samples_of[prompt].empty()) continue;
      const tasks::sample_scores scores =
          tasks::score_samples(asked.loaded.model, {&made.prior->distinct[prompt], 1}, {});
      sqlite::transaction whole = store_.begin();
      for (const std::size_t i : samples_of[prompt])
        store_.save(plain.row.id, score_part::prior, made.scored[i].index, made.scored[i].label,
                    scores.plain.front());
      whole.commit();
      if (listener_.advanced) listener_.advanced(samples_of[prompt].size());
    }
  }

  // Questions one by one, each way of answering stored at once.
  void answer(const asked_cell& asked, const cell& made, std::span<const cell_run> runs) {
    const tasks::squad_rules rules = tasks::rules_of(asked.data.all);
    const runtime::generation_options options{.max_new_tokens = asked.task.max_new_tokens, .stops = {"\n"}};
    std::vector<std::map<std::size_t, stored_answer>> known;
    for (const cell_run& run : runs)
      known.push_back(store_.answers(run.row.id));
    for (const tasks::prepared_sample& question : made.scored) {
      const std::vector<std::string>& gold = asked.data.all[question.index].choices;
      for (std::size_t run = 0; run < runs.size(); ++run) {
        if (known[run].contains(question.index)) continue;
        const runtime::model_calibration calibration =
            runs[run].way == nullptr ? runtime::model_calibration{} : runs[run].way->calibration;
        const runtime::generation text =
            runtime::generate(asked.loaded.model, *asked.loaded.tokenizer, question.prompt, calibration,
                              options, [&](std::string_view) {
                                if (listener_.token_made) listener_.token_made();
                              });
        const tasks::squad_score score =
            tasks::score_prediction(tasks::generated_answer(text.text), gold, rules);
        store_.save(runs[run].row.id, question.index,
                    {.answerable = !gold.empty(),
                     .exact_match = score.exact_match,
                     .f1 = score.f1,
                     .text = tasks::generated_answer(text.text)});
        if (listener_.advanced) listener_.advanced(1);
      }
    }
  }

  const suite& of_;
  store& store_;
  const suite_maker* made_;  // none: a dry run
  const suite_listener& listener_;
  std::int64_t suite_ = 0;  // its row
  all_task_data data_;
  std::vector<planned_cell> planned_;
};

}  // namespace

std::vector<planned_cell> plan_suite(const suite& of, store& results) {
  const suite_listener silent;
  return suite_runner(of, results, nullptr, silent).run();
}

void run_suite(const suite& of, store& results, const suite_maker& made, const suite_listener& listener) {
  (void)suite_runner(of, results, &made, listener).run();
}

}  // namespace act::suite
