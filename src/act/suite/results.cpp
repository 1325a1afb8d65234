#include <act/error.hpp>
#include <act/io/parse_json.hpp>
#include <act/report/answers_report.hpp>
#include <act/report/evaluation_report.hpp>
#include <act/search/heads_file.hpp>
#include <act/statistics/label_map.hpp>
#include <act/suite/results.hpp>
#include <act/tasks/batch_prior.hpp>
#include <act/tasks/domain_prior.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/squad_metrics.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

namespace act::suite {

namespace {

using json = nlohmann::json;
using statistics::score_table;

// A run with what its record says.
struct read_run {
  stored_run row;
  json record;
};

// The runs of one model, task and number of shots: seed by seed, method by method.
struct run_group {
  std::map<std::size_t, std::map<std::string, const read_run*>> by_seed;
  std::vector<std::string> methods;  // in their order
  const read_run* first = nullptr;
};

// One seed's scores of one way, and of its labelled samples.
struct seed_scores {
  score_table scored, labelled;
  std::vector<std::size_t> labelled_labels;
};

// All of a group that is compared: rows of `indices`, the same in each table.
struct group_scores {
  std::vector<std::size_t> indices, labels;
  std::size_t answers = 0;
  std::map<std::string, std::vector<seed_scores>> of_method;  // [seed]
  std::vector<score_table> prior, domain;                     // [seed], where there are any
};

std::set<std::size_t> both(const std::set<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::set<std::size_t> common;
  for (const std::size_t each : b) {
    if (a.contains(each)) common.insert(each);
  }
  return common;
}

class results_reader {
 public:
  results_reader(store& from, std::int64_t suite) : from_(from), suite_(suite) {}

  suite_results read() {
    std::vector<read_run> runs;
    std::set<std::string> builds;
    for (stored_run& row : from_.runs_of(suite_)) {
      json record = io::parse_json<json>(row.record, "the store's run of " + row.task);
      runs.push_back({std::move(row), std::move(record)});
      for (std::string& build : from_.builds_of(runs.back().row.id)) {
        if (builds.insert(build).second) made_.builds.push_back(std::move(build));
      }
    }
    std::vector<std::pair<std::string, run_group>> groups;
    for (const read_run& run : runs) {
      const std::string key = run.row.model + "\n" + run.row.task + "\n" + std::to_string(run.row.shots);
      auto at =
          std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.first == key; });
      if (at == groups.end()) at = groups.insert(groups.end(), {key, {}});
      run_group& group = at->second;
      if (group.first == nullptr) group.first = &run;
      group.by_seed[run.row.shot_seed][run.row.method] = &run;
      if (std::find(group.methods.begin(), group.methods.end(), run.row.method) == group.methods.end())
        group.methods.push_back(run.row.method);
    }
    for (const auto& [key, group] : groups)
      add(group);
    add_searches(runs);
    return std::move(made_);
  }

 private:
  // Seeds all of whose runs have been begun.
  static std::vector<std::size_t> seeds_of(const run_group& group) {
    std::vector<std::size_t> seeds;
    for (const auto& [seed, of] : group.by_seed) {
      if (of.size() == group.methods.size()) seeds.push_back(seed);
    }
    return seeds;
  }

  void add(const run_group& group) {
    const read_run& first = *group.first;
    if (!group.by_seed.begin()->second.contains("plain")) return;
    suite_result result{.model = first.row.model,
                        .task = first.row.task,
                        .kind = first.record.value("kind", ""),
                        .task_of = first.record.value("task", ""),
                        .squad_version = first.record.value("squad_rules", std::size_t{1}),
                        .with_other = first.record.value("scoring", "") == "greedy",
                        .shots = first.row.shots,
                        .seeds = 1,
                        .n = 0,
                        .wanted = first.record.value("samples", std::size_t{0}),
                        .ways = {}};
    options_ = {.seed = first.record.value("seed", std::uint64_t{0})};
    if (result.kind == "generated") {
      add_answers(result, group);
    } else {
      add_scores(result, group);
    }
    if (result.n > 0) made_.results.push_back(std::move(result));
  }

  static std::size_t heads_of(const run_group& group, const std::string& method) {
    return group.by_seed.begin()->second.at(method)->record.value("heads", std::size_t{0});
  }

  group_scores scores_of(const run_group& group, std::vector<std::size_t> seeds,
                         const std::set<std::string>& baselines) {
    std::optional<std::set<std::size_t>> common;
    for (const std::size_t seed : seeds) {
      for (const auto& [method, run] : group.by_seed.at(seed)) {
        const std::vector<std::size_t> known = from_.known(run->row.id, score_part::scored);
        common = common ? both(*common, known) : std::set<std::size_t>(known.begin(), known.end());
        if (method == "plain" && baselines.contains("contextual"))
          common = both(*common, from_.known(run->row.id, score_part::prior));
      }
    }
    group_scores all;
    if (!common || common->empty()) return all;
    all.indices.assign(common->begin(), common->end());
    for (const std::size_t seed : seeds) {
      for (const auto& [method, run] : group.by_seed.at(seed)) {
        const auto scored = from_.scores(run->row.id, score_part::scored);
        seed_scores one;
        for (const std::size_t index : all.indices)
          one.scored.push_back(scored.at(index).scores);
        for (const auto& [index, sample] : from_.scores(run->row.id, score_part::labelled)) {
          one.labelled.push_back(sample.scores);
          one.labelled_labels.push_back(sample.label);
        }
        if (method == "plain") {
          if (all.labels.empty()) {
            for (const std::size_t index : all.indices) {
              all.labels.push_back(scored.at(index).label);
              all.answers = std::max(all.answers, scored.at(index).scores.size());
            }
          }
          add_priors(all, *run, baselines);
        }
        all.of_method[method].push_back(std::move(one));
      }
    }
    return all;
  }

  void add_priors(group_scores& all, const read_run& run, const std::set<std::string>& baselines) {
    if (baselines.contains("contextual")) {
      const auto scores = from_.scores(run.row.id, score_part::prior);
      score_table& table = all.prior.emplace_back();
      for (const std::size_t index : all.indices)
        table.push_back(scores.at(index).scores);
    }
    if (baselines.contains("domain")) {
      score_table& table = all.domain.emplace_back();
      for (const auto& [index, sample] : from_.scores(run.row.id, score_part::domain))
        table.push_back(sample.scores);
    }
  }

  void add_scores(suite_result& result, const run_group& group) {
    std::set<std::string> baselines;
    for (const json& each : group.first->record.value("baselines", json::array()))
      baselines.insert(each.get<std::string>());
    std::vector<std::size_t> seeds = seeds_of(group);
    group_scores all = scores_of(group, seeds, baselines);
    // Where the last seeds have just begun, the whole ones.
    while (all.indices.size() < result.wanted && seeds.size() > 1) {
      seeds.pop_back();
      all = scores_of(group, seeds, baselines);
    }
    result.n = all.indices.size();
    result.seeds = seeds.size();
    if (result.n == 0) return;
    with_other_ = result.with_other;
    if (with_other_ && all.answers > 0) --all.answers;
    plain_.clear();
    for (const seed_scores& seed : all.of_method.at("plain"))
      plain_.push_back(seed.scored);

    add_way(result, all, {.method = "plain"}, plain_);
    add_maps(result, all, "plain", 0, baselines);
    const auto add_prior = [&](const std::string& name, auto&& less) {
      if (!baselines.contains(name)) return;
      std::vector<score_table> tables;
      for (std::size_t seed = 0; seed < plain_.size(); ++seed)
        tables.push_back(less(seed));
      add_way(result, all, {.method = name}, tables);
    };
    add_prior("contextual", [&](std::size_t seed) { return less(plain_[seed], all.prior[seed]); });
    add_prior("batch", [&](std::size_t seed) { return tasks::less_batch_prior(plain_[seed]); });
    if (std::all_of(all.domain.begin(), all.domain.end(), [](const auto& table) { return !table.empty(); }))
      add_prior("domain",
                [&](std::size_t seed) { return tasks::less_domain_prior(plain_[seed], all.domain[seed]); });
    for (const std::string& method : group.methods) {
      if (method == "plain") continue;
      std::vector<score_table> tables;
      for (const seed_scores& seed : all.of_method.at(method))
        tables.push_back(seed.scored);
      add_way(result, all, {.method = method, .heads = heads_of(group, method)}, tables);
      add_maps(result, all, method, heads_of(group, method), baselines);
    }
  }

  static score_table less(const score_table& scores, const score_table& prior) {
    score_table made = scores;
    for (std::size_t i = 0; i < made.size(); ++i) {
      for (std::size_t answer = 0; answer < made[i].size(); ++answer)
        made[i][answer] -= prior[i].at(answer);
    }
    return made;
  }

  void add_maps(suite_result& result, const group_scores& all, const std::string& method, std::size_t heads,
                const std::set<std::string>& baselines) {
    for (const auto& [name, kind] : {std::pair("bias", statistics::label_map_kind::bias),
                                     std::pair("linear", statistics::label_map_kind::linear)}) {
      if (!baselines.contains(name)) continue;
      std::vector<score_table> tables;
      std::size_t fitted_on = 0;
      for (const seed_scores& seed : all.of_method.at(method)) {
        const auto map = statistics::fit_label_map(seed.labelled, seed.labelled_labels, kind);
        const bool fits = map && std::all_of(seed.scored.begin(), seed.scored.end(),
                                             [&](const auto& row) { return row.size() == map->bias.size(); });
        if (!fits) break;
        fitted_on = seed.labelled.size();
        tables.push_back((*map)(seed.scored));
      }
      if (tables.size() != plain_.size()) continue;  // no map: options of each sample's own
      add_way(result, all, {.method = method, .map = name, .fitted_on = fitted_on, .heads = heads}, tables);
    }
  }

  void add_way(suite_result& result, const group_scores& all, way_result way,
               const std::vector<score_table>& tables) const {
    std::vector<tasks::sample_scores> runs(plain_.size());
    const bool is_plain = way.method == "plain" && way.map.empty();
    for (std::size_t seed = 0; seed < plain_.size(); ++seed) {
      runs[seed].plain = plain_[seed];
      if (!is_plain) runs[seed].calibrated = tables[seed];
      runs[seed].with_other = with_other_;
    }
    const tasks::evaluation sum = tasks::evaluate(all.labels, all.answers, runs, options_);
    way.summary = is_plain ? sum.baseline : *sum.calibrated;
    way.difference = sum.difference;
    result.ways.push_back(std::move(way));
  }

  void add_answers(suite_result& result, const run_group& group) {
    const auto& runs = group.by_seed.begin()->second;
    std::map<std::string, std::map<std::size_t, stored_answer>> answers;
    std::optional<std::set<std::size_t>> common;
    for (const auto& [method, run] : runs) {
      answers[method] = from_.answers(run->row.id);
      std::vector<std::size_t> known;
      for (const auto& [index, answer] : answers[method])
        known.push_back(index);
      common = common ? both(*common, known) : std::set<std::size_t>(known.begin(), known.end());
    }
    result.n = common ? common->size() : 0;
    if (result.n == 0) return;
    const auto rules = result.squad_version == 2 ? tasks::squad_rules::v2 : tasks::squad_rules::v1;
    const auto scores = [&](const std::string& method) {
      std::vector<tasks::squad_score> list;
      for (const std::size_t index : *common) {
        const stored_answer& answer = answers.at(method).at(index);
        list.push_back({.exact_match = answer.exact_match, .f1 = answer.f1});
      }
      return list;
    };
    std::vector<bool> answerable;
    for (const std::size_t index : *common)
      answerable.push_back(answers.at("plain").at(index).answerable);
    const std::vector<tasks::squad_score> plain = scores("plain");
    for (const std::string& method : group.methods) {
      way_result way{.method = method, .heads = heads_of(group, method)};
      const bool is_plain = method == "plain";
      const tasks::answers_evaluation sum = tasks::evaluate_answers(
          plain, is_plain ? std::vector<tasks::squad_score>() : scores(method), answerable, rules, options_);
      way.answers = is_plain ? sum.baseline : *sum.calibrated;
      way.answers_difference = sum.difference;
      result.ways.push_back(std::move(way));
    }
  }

  void add_searches(const std::vector<read_run>& runs) {
    std::set<std::string> own;
    for (const read_run& run : runs)
      own.insert(run.record.value("search", ""));
    for (const found_heads_file& found : from_.all_found_heads()) {
      if (!own.contains(found.search)) continue;
      made_.searches.push_back(
          searched_heads_of(search::parse_heads_file(found.file, "the store's heads '" + found.name + "'"),
                            found.model, found.name, found.task));
    }
  }

  store& from_;
  std::int64_t suite_;
  suite_results made_;
  statistics::bootstrap_options options_;
  std::vector<score_table> plain_;  // of the group, [seed]
  bool with_other_ = false;
};

}  // namespace

searched_heads searched_heads_of(const search::heads_file& file, std::string model, std::string name,
                                 std::string task) {
  searched_heads one{.model = std::move(model),
                     .name = std::move(name),
                     .task = std::move(task),
                     .layers = file.model.layers,
                     .heads = file.model.heads,
                     .trials = {}};
  constexpr std::size_t most_heads = 1'000'000;  // more are no model's, but a file may say so
  if (one.heads > 0 && one.layers > most_heads / one.heads) return one;
  try {
    const json evidence = file.evidence.value();
    if (evidence.contains("baseline")) one.samples = evidence["baseline"].value("n", std::size_t{0});
    for (const json& trial : evidence.value("trials", json::array())) {
      const std::size_t layer = trial.value("layer", std::size_t{0}),
                        head = trial.value("head", std::size_t{0});
      if (layer >= one.layers || head >= one.heads) continue;
      one.trials.push_back({.layer = layer,
                            .head = head,
                            .net = trial.value("net", 0LL),
                            .log_likelihood_gain = trial.value("log_likelihood_gain", 0.0),
                            .picked = file.heads.contains(layer, head)});
    }
  } catch (const json::exception&) {
    throw error(error_code::invalid_input, one.name, "has evidence that isn't as act-search writes it");
  }
  return one;
}

suite_results results_of(store& from, std::int64_t suite) {
  return results_reader(from, suite).read();
}

io::json_document to_json(const suite_results& of) {
  auto results = io::json_document::array();
  for (const suite_result& each : of.results) {
    const bool generated = each.kind == "generated";
    auto ways = io::json_document::array();
    for (const way_result& way : each.ways) {
      auto one = io::json_document::object(
          {{"method", way.method}, {"map", way.map}, {"fitted_on", way.fitted_on}, {"heads", way.heads}});
      if (generated) {
        one.set("answers", report::summary_json(way.answers));
        if (way.answers_difference) one.set("difference", report::difference_json(*way.answers_difference));
      } else {
        one.set("summary", report::summary_json(way.summary, each.with_other));
        if (way.difference) one.set("difference", report::difference_json(*way.difference));
      }
      ways.push_back(std::move(one));
    }
    results.push_back(io::json_document::object({{"model", each.model},
                                                 {"task", each.task},
                                                 {"kind", each.kind},
                                                 {"shots", each.shots},
                                                 {"seeds", each.seeds},
                                                 {"n", each.n},
                                                 {"wanted", each.wanted},
                                                 {"ways", std::move(ways)}}));
  }
  auto searches = io::json_document::array();
  for (const searched_heads& each : of.searches) {
    auto picked = io::json_document::array();
    for (const searched_heads::trial& trial : each.trials) {
      if (trial.picked) picked.push_back(io::json_document::array({trial.layer, trial.head}));
    }
    searches.push_back(io::json_document::object({{"model", each.model},
                                                  {"heads", each.name},
                                                  {"task", each.task},
                                                  {"samples", each.samples},
                                                  {"picked", std::move(picked)}}));
  }
  auto builds = io::json_document::array();
  for (const std::string& build : of.builds)
    builds.push_back(
        io::json_document::of(io::parse_json<nlohmann::ordered_json>(build, "the store's program")));
  return io::json_document::object(
      {{"results", std::move(results)}, {"searches", std::move(searches)}, {"made_by", std::move(builds)}});
}

}  // namespace act::suite
