#include <act/error.hpp>
#include <act/io/sha256.hpp>
#include <act/report/heads_json.hpp>
#include <act/report/search_report.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/selection/gains_by.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/state.hpp>
#include <act/search/stored_trials.hpp>
#include <act/suite/cell.hpp>
#include <act/suite/suite_file.hpp>
#include <act/suite/suite_ways.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/selection.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

namespace act::suite {

namespace {

bool names(const std::vector<std::string>& chosen, const std::string& name) {
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

// The suite's options over those of a file, under the names of a heads file.
tasks::named_calibration in_force(const suite_heads& heads, const search::heads_file& file,
                                  const io::json_document& varied = io::json_document::object()) {
  io::json_document options = io::json_document::object();
  if (file.options || file.masks || file.subset) {
    options = search::to_json(tasks::named_calibration{
        .options = file.options.value_or(calibration_options{}), .subset = file.subset, .masks = file.masks});
  }
  options.update(heads.options);
  options.update(varied);
  const search::heads_file made = search::parse_heads_file(
      io::json_document::object({{"heads", io::json_document::array()}, {"options", std::move(options)}})
          .text(),
      heads.where);
  return {
      .options = made.options.value_or(calibration_options{}), .subset = made.subset, .masks = made.masks};
}

// So many of the labelled samples' positions, of all those that are chosen by the seed.
std::vector<std::size_t> some_of(const std::vector<std::size_t>& labelled, std::int64_t count,
                                 std::uint64_t seed) {
  std::vector<std::size_t> some;
  for (const std::size_t at : tasks::select_limited(labelled.size(), count, seed))
    some.push_back(labelled[at]);
  return some;
}

// Trials that other searches of the store have run on the same samples with the same calibration.
void take_over_others(const std::filesystem::path& folder, const std::string& own,
                      const search::search_plan& plan, search::search_state& state) {
  std::vector<std::string> others;
  std::error_code failed;
  for (const auto& each : std::filesystem::directory_iterator(folder, failed)) {
    if (each.path().extension() == ".sqlite" && each.path().string() != own)
      others.push_back(each.path().string());
  }
  std::sort(others.begin(), others.end());
  for (const std::string& path : others) {
    try {
      state.also_from(search::stored_trials(path, plan));
    } catch (const error& other) {
      if (other.code() != error_code::mismatch) throw;  // another model's, or another calibration's
    }
  }
}

void check_decodable(const suite_heads& heads, const suite_task& task, const calibration_options& options) {
  if (!heads.decoding) return;  // only prompts are calibrated, which every form can be
  const bool decodes = options.redistribute == redistribution::proportional ||
                       options.redistribute == redistribution::renormalised;
  if (!task.generates() || (decodes && options.behave_as == compatibility::none)) return;
  throw error(error_code::unsupported, heads.where,
              "[[heads]] '" + heads.name + "' can't decode the answers of task '" + task.name +
                  "', which knows proportional and renormalised redistribution alone; leave the task out "
                  "with 'tasks'");
}

// The file with a part of its heads, drawn by the seed; a larger share has those of a smaller one.
search::heads_file part_of(const search::heads_file& file, double share, std::uint64_t seed) {
  const std::size_t all = file.heads.size();
  const auto count = static_cast<std::size_t>(std::ceil(share * static_cast<double>(all)));
  if (count >= all) return file;
  const std::vector<std::size_t> chosen = tasks::select_limited(all, static_cast<std::int64_t>(count), seed);
  search::heads_file part = file;
  part.heads = {};
  part.strengths.clear();
  for (const std::size_t at : chosen) {
    const layer_head& head = *(file.heads.begin() + static_cast<std::ptrdiff_t>(at));
    part.heads.insert(head.layer, head.head);
    if (!file.strengths.empty()) part.strengths.push_back(file.strengths[at]);
  }
  return part;
}

}  // namespace

suite_ways::suite_ways(const suite& of, const suite_model& model, const runtime::loaded_model& loaded,
                       const runtime::model_identity& identity, const all_task_data& data)
    : of_(of), model_(model), loaded_(loaded), identity_(identity), data_(data) {}

std::vector<calibrated_way> suite_ways::of_task(const suite_task& task, store& results,
                                                const search_listener* searches) {
  std::vector<calibrated_way> ways;
  for (const suite_heads& heads : of_.heads) {
    if (!names(heads.models, model_.name) || !names(heads.tasks, task.name)) continue;
    if (heads.search && heads.search->each_task && !names(heads.search->tasks, task.name)) continue;
    if (!heads.search) {
      const std::string path = with_names(heads.file, model_, task);
      const search::heads_file file = search::read_heads_file(path);
      (void)search::check_fit(file, identity_, path, heads.force, "'force = true' in " + heads.where);
      ways.push_back(way_of(heads, task, file, path));
    } else if (const auto found = searched(heads, task, results, searches)) {
      ways.push_back(way_of(heads, task, found->file, heads.where));
      ways.back().search = found->search;
    } else {
      ways.push_back(
          {.name = heads.name, .calibration = {}, .part = {}, .seen = {}, .record = {}, .known = false});
    }
  }
  return ways;
}

calibrated_way suite_ways::way_of(const suite_heads& heads, const suite_task& task,
                                  const search::heads_file& whole, const std::string& name) const {
  const search::heads_file file = part_of(whole, heads.share, of_.seed);
  const tasks::named_calibration calibration = in_force(heads, file, heads.varied);
  check_decodable(heads, task, calibration.options);
  if (calibration.subset) tasks::check_part(task.task, *calibration.subset, {}, heads.where);
  calibrated_way way{.name = heads.name,
                     .calibration = {.heads = file.heads,
                                     .options = calibration.options,
                                     .masks = calibration.masks,
                                     .strengths = search::strengths_under(file, calibration, name),
                                     .decoding = heads.decoding,
                                     .generated_sinks = heads.generated_sinks},
                     .part = calibration.subset,
                     .seen = {},
                     .record = {}};
  if (!heads.search) {
    const auto seen = search::searched_samples(file, data_.find(task.name)->second.sha256);
    way.seen = {seen.begin(), seen.end()};
  }
  way.record = io::json_document::object({{"heads", file.heads.size()}});
  report::add_heads(way.record, way.calibration);
  way.record.set("options", search::to_json(calibration));
  if (heads.share < 1) way.record.set("share", heads.share);
  if (!heads.decoding) way.record.set("decoding", false);
  if (!heads.generated_sinks) way.record.set("generated_sinks", false);
  if (heads.search) {
    way.record.set("select", heads.search->select);
    way.record.set("objective", heads.search->objective);
    if (heads.search->ranked) way.record.set("budget", heads.search->budget);
    if (heads.search->samples > 0) way.record.set("search_samples", heads.search->samples);
    way.record.set("searched_tasks",
                   heads.search->each_task ? std::vector<std::string>{task.name} : heads.search->tasks);
  }
  return way;
}

search::search_plan suite_ways::plan_of(const suite_heads& heads,
                                        const std::vector<std::string>& tasks) const {
  search::search_plan plan;
  const tasks::named_calibration calibration = in_force(heads, {});
  plan.options = calibration.options;
  plan.subset = calibration.subset;
  plan.masks = calibration.masks;
  plan.fingerprint = identity_.fingerprint;
  plan.compute = identity_.compute;
  if (heads.search->ranked) {
    plan.strategy =
        search::ranked_record(heads.search->select, heads.search->objective, heads.search->budget);
    plan.estimates = true;
  }
  plan.range = search::parse_layer_range(heads.search->layers, loaded_.model.config.layers, heads.where);
  for (const suite_task& task : of_.tasks) {
    if (std::find(tasks.begin(), tasks.end(), task.name) == tasks.end()) continue;
    const task_data& all = data_.find(task.name)->second;
    task_data fewer;
    if (heads.search->samples > 0) {
      fewer = all;
      fewer.labelled = some_of(all.labelled, heads.search->samples, of_.seed);
    }
    const task_data& data = heads.search->samples > 0 ? fewer : all;
    search::search_source source{.task = task.task.name,
                                 .file = task.file_of_labelled(),
                                 .sha256 = data.labelled_sha256,
                                 .scoring = task.scoring,
                                 .special_tokens = task.special_tokens ? "tokens" : "text",
                                 .final_space = {},
                                 .indices = data.labelled};
    if (task.task.kind == tasks::task_kind::classification) source.final_space = task.final_space;
    const auto samples = prepare_labelled(task, data, loaded_, calibration.subset);
    plan.sources.push_back(std::move(source));
    plan.samples.insert(plan.samples.end(), samples.begin(), samples.end());
    plan.source_of.resize(plan.samples.size(), plan.sources.size() - 1);
  }
  if (plan.samples.empty()) {
    throw error(error_code::invalid_input, heads.where,
                "no labelled prompt of the search's tasks fits the model's context");
  }
  plan.shuffle(of_.seed);
  return plan;
}

std::optional<suite_ways::found_file> suite_ways::searched(const suite_heads& heads, const suite_task& task,
                                                           store& results, const search_listener* searches) {
  const suite_search& how = *heads.search;
  const std::vector<std::string> tasks = how.each_task ? std::vector<std::string>{task.name} : how.tasks;
  const search::search_plan plan = plan_of(heads, tasks);
  const std::string identity = plan.identity();
  const std::string state_name = io::sha256().update(identity).hex();
  const std::string key = io::sha256()
                              .update(state_name + "\n" + how.select + "\n" + how.objective + "\n" +
                                      std::to_string(how.rule.seed))
                              .hex();
  const std::string called = "the search of '" + heads.name + "' in " + of_.store;
  if (const auto found = results.found_heads(key))
    return found_file{key, search::parse_heads_file(*found, called)};
  if (searches == nullptr) return std::nullopt;

  const std::filesystem::path folder = of_.store + ".searches";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw error(error_code::io, folder.string(), "can't be made: " + failed.message());
  const std::string state_path = (folder / (state_name.substr(0, 16) + ".sqlite")).string();
  search::search_state state(state_path, identity);
  take_over_others(folder, state_path, plan, state);
  if (searches->begins)
    searches->begins(model_.name + ", " + heads.name + (how.each_task ? ", " + task.name : ""));
  const std::size_t places = how.rule.count_among(plan.range.count() * loaded_.model.config.heads);
  const search::search_outcome outcome =
      how.ranked ? search::run_ranked_search(
                       loaded_.model, plan, state,
                       {.budget = how.budget, .places = places, .worth = search::worth_by(how.rule)},
                       searches->advanced)
                 : search::run_exact_search(loaded_.model, plan, state, searches->advanced);
  const search::head_selection picked = search::select_heads(outcome.trials, how.rule);
  const std::string file = search::format_heads_file(report::heads_file_of(
      identity_, plan, outcome, picked, {.select = how.select, .objective = how.objective}));
  results.save_heads(key, model_.name, heads.name, how.each_task ? task.name : "", file);
  return found_file{key, search::parse_heads_file(file, called)};
}

}  // namespace act::suite
