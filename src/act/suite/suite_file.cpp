#include <act/error.hpp>
#include <act/io/parse_json.hpp>
#include <act/io/text_file.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/selection/objective.hpp>
#include <act/suite/suite_file.hpp>
#include <act/suite/toml_section.hpp>
#include <act/tasks/scoring_names.hpp>
#include <act/tasks/task.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::suite {

namespace {

constexpr std::int64_t most_samples = std::int64_t{1} << 40;

// What a [[task]] may say for itself and [defaults] for all.
struct asked_settings {
  std::optional<std::int64_t> limit, labelled, shot_seeds, max_new_tokens;
  std::optional<std::vector<std::int64_t>> shots;
  std::optional<std::string> scoring, long_prompts;
  std::optional<bool> final_space, special_tokens, balanced_shots;

  void read(toml_section& from) {
    const auto take = [](auto& into, auto found) {
      if (found) into = std::move(found);
    };
    take(limit, from.whole("limit", 0, most_samples));
    take(labelled, from.whole("labelled", 0, most_samples));
    take(shots, from.wholes("shots", 0, 1000));
    take(shot_seeds, from.whole("shot_seeds", 1, 1000));
    take(max_new_tokens, from.whole("max_new_tokens", 1, 1 << 20));
    take(scoring, from.one_of("scoring", {"default", "labels", "letters", "greedy", "likelihood"}));
    take(long_prompts, from.one_of("long_prompts", {"error", "skip", "truncate-left"}));
    take(final_space, from.truth("final_space"));
    take(special_tokens, from.truth("special_tokens"));
    take(balanced_shots, from.truth("balanced_shots"));
  }
};

class suite_reader {
 public:
  suite_reader(const std::string& path, const toml::table& root)
      : path_(path), root_(path, root, "the file") {
    made_.path = path;
  }

  suite read() {
    made_.store = beside(root_.text("store").value_or(
        std::filesystem::path(path_).filename().replace_extension(".sqlite").string()));
    made_.seed = static_cast<std::uint64_t>(root_.whole("seed", 0, INT64_MAX).value_or(0));
    read_baselines();
    if (std::optional<toml_section> defaults = root_.section("defaults")) {
      defaults_.read(*defaults);
      defaults->refuse_others();
    }
    for (toml_section& each : root_.sections("model"))
      read_model(each);
    for (toml_section& each : root_.sections("task"))
      read_task(each);
    for (toml_section& each : root_.sections("heads"))
      read_heads(each);
    root_.refuse_others();
    if (made_.models.empty()) throw error(error_code::invalid_input, path_, "has no [[model]]");
    if (made_.tasks.empty()) throw error(error_code::invalid_input, path_, "has no [[task]]");
    check_maps();
    return std::move(made_);
  }

 private:
  // As the suite's folder has it.
  [[nodiscard]] std::string beside(const std::string& file) const {
    return (std::filesystem::path(path_).parent_path() / file).string();
  }

  // Where there is nothing at the path, an error at the key.
  [[nodiscard]] std::string existing(const toml_section& from, std::string_view key,
                                     const std::string& file) const {
    std::string path = beside(file);
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
      throw error(
          error_code::io, from.where(key),
          "'" + std::string(key) + "': there is no '" + path + "'; paths are relative to the suite's folder");
    }
    return path;
  }

  [[nodiscard]] std::optional<std::string> existing(toml_section& from, const std::string& key) const {
    const std::optional<std::string> file = from.text(key);
    if (!file) return std::nullopt;
    return existing(from, key, *file);
  }

  void read_baselines() {
    const std::vector<std::string> known{"contextual", "batch", "domain", "bias", "linear"};
    for (const std::string& each : root_.texts("baselines").value_or(std::vector<std::string>())) {
      suite_baselines& all = made_.baselines;
      bool* const chosen[] = {&all.contextual, &all.batch, &all.domain, &all.bias, &all.linear};
      const auto at = std::find(known.begin(), known.end(), each);
      if (at == known.end()) root_.refuse("baselines", "has no '" + each + "'; " + suggestion(each, known));
      *chosen[at - known.begin()] = true;
    }
  }

  // A name that nothing of its kind has yet.
  template <class Named>
  static void add(std::vector<Named>& to, Named made, const toml_section& from, const std::string& key) {
    if (std::any_of(to.begin(), to.end(), [&](const Named& each) { return each.name == made.name; }))
      from.refuse(from.has("name") ? "name" : key,
                  "'" + made.name + "' is there twice; give one another name");
    to.push_back(std::move(made));
  }

  void read_model(toml_section& from) {
    suite_model model;
    model.path = existing(from, "path", from.required_text("path"));
    model.name = from.text("name").value_or(std::filesystem::path(model.path).stem().string());
    if (model.name.empty()) from.refuse("name", "is empty");
    const std::string compute = from.one_of("compute", {"f32", "bf16", "int8"}).value_or("f32");
    model.compute = runtime::compute_type_named(compute).value_or(runtime::compute_type::f32);
    from.refuse_others();
    add(made_.models, std::move(model), from, "path");
  }

  void read_task(toml_section& from) {
    std::vector<std::string> known;
    for (const tasks::task& each : tasks::all_tasks())
      known.push_back(each.name);
    const std::string task_name = from.required_text("task");
    (void)from.one_of("task", known);
    asked_settings asked = defaults_;
    asked.read(from);
    suite_task task;
    task.task = tasks::find_task(task_name);
    task.name = from.text("name").value_or(task_name);
    if (task.name.empty()) from.refuse("name", "is empty");
    task.data = existing(from, "data", from.required_text("data"));
    task.labelled_data = existing(from, "labelled_data").value_or("");
    task.shot_data = existing(from, "shot_data").value_or("");
    from.refuse_others();
    set(task, asked, from);
    add(made_.tasks, std::move(task), from, "task");
  }

  // [defaults] are for the tasks that can heed them; what a task says itself it must be able to.
  void set(suite_task& task, const asked_settings& asked, const toml_section& from) {
    task.limit = asked.limit.value_or(0);
    task.labelled = asked.labelled.value_or(0);
    task.max_new_tokens = static_cast<std::size_t>(asked.max_new_tokens.value_or(32));
    task.shot_seeds = static_cast<std::size_t>(asked.shot_seeds.value_or(5));
    task.balanced_shots = asked.balanced_shots.value_or(false);
    task.special_tokens = asked.special_tokens.value_or(false);
    if (asked.shots) {
      task.shots.clear();
      for (const std::int64_t count : *asked.shots)
        task.shots.push_back(static_cast<std::size_t>(count));
    }
    const std::string policy = asked.long_prompts.value_or("error");
    if (policy == "skip") task.policy = tasks::long_prompts::skip;
    if (policy == "truncate-left") task.policy = tasks::long_prompts::truncate_left;
    const bool draws = std::any_of(task.shots.begin(), task.shots.end(), [](std::size_t n) { return n > 0; });
    if (task.generates()) {
      for (const char* key : {"scoring", "shot_data", "labelled_data", "labelled", "shot_seeds"}) {
        if (from.has(key))
          from.refuse(key, "doesn't apply to " + task.task.name + ", whose answers are generated");
      }
      task.labelled = 0;
      task.scoring = "generated";
      return;
    }
    if (from.has("max_new_tokens")) from.refuse("max_new_tokens", "is for tasks whose answers are generated");
    if (draws && task.shot_data.empty()) {
      throw error(error_code::invalid_input, from.where(),
                  "[[task]] '" + task.name + "' has shots, so it needs 'shot_data' that they come from");
    }
    // A rule for all that the task doesn't have is its own.
    std::string scoring = asked.scoring.value_or("default");
    if (!from.has("scoring") && (scoring == "labels" || scoring == "letters")) scoring = "default";
    try {
      task.scoring = tasks::scoring_name_for(task.task, scoring, from.where("scoring"));
    } catch (const error&) {
      if (from.has("scoring")) throw;
      task.scoring = tasks::scoring_name_for(task.task, "default", from.where("scoring"));
    }
    if (!asked.final_space.value_or(true)) {
      const bool can = task.task.kind == tasks::task_kind::classification;
      if (can || from.has("final_space")) {
        task.task = tasks::without_final_space(std::move(task.task), from.where("final_space"));
        task.final_space = false;
      }
    }
  }

  // Names of models or tasks that the suite has.
  template <class Named>
  static std::vector<std::string> chosen(toml_section& from, const std::string& key,
                                         const std::vector<Named>& all) {
    std::vector<std::string> names = from.texts(key).value_or(std::vector<std::string>());
    std::vector<std::string> known;
    for (const Named& each : all)
      known.push_back(each.name);
    for (const std::string& name : names) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        from.refuse(key, "names '" + name + "', which the suite doesn't have; " + suggestion(name, known));
    }
    return names;
  }

  void read_heads(toml_section& from) {
    suite_heads heads;
    heads.name = from.required_text("name");
    heads.where = from.where();
    heads.models = chosen(from, "models", made_.models);
    heads.tasks = chosen(from, "tasks", made_.tasks);
    heads.file = from.text("file").value_or("");
    heads.force = from.truth("force").value_or(false);
    heads.decoding = from.truth("decoding").value_or(true);
    heads.generated_sinks = from.truth("generated_sinks").value_or(true);
    heads.share = static_cast<double>(from.whole("share", 1, 100).value_or(100)) / 100;
    if (std::optional<toml_section> search = from.section("search"))
      heads.search = read_search(*search, heads);
    if (heads.file.empty() == !heads.search) {
      throw error(error_code::invalid_input, from.where(),
                  "[[heads]] '" + heads.name + "' needs either 'file' or a [heads.search], and has " +
                      (heads.search ? "both" : "neither"));
    }
    if (std::optional<toml_section> options = from.section("options")) {
      heads.options = io::json_document::of(
          io::parse_json<nlohmann::ordered_json>(options->json(), from.where("options")));
      // Names and ranges as a heads file's.
      (void)search::parse_heads_file(
          io::json_document::object({{"heads", io::json_document::array()}, {"options", heads.options}})
              .text(),
          from.where("options"));
    }
    from.refuse_others();
    if (heads.name == "plain" || heads.name == "contextual" || heads.name == "batch" ||
        heads.name == "domain")
      from.refuse("name", "is '" + heads.name + "', which tables call something else; choose another");
    check_heads_files(heads, from);
    if (!heads.file.empty()) heads.file = beside(heads.file);
    check_name(heads, from);
    made_.heads.push_back(std::move(heads));
  }

  suite_search read_search(toml_section& from, const suite_heads& heads) {
    suite_search search;
    search.tasks = chosen(from, "tasks", made_.tasks);
    search.each_task = from.one_of("per", {"model", "task"}).value_or("model") == "task";
    search.samples = from.whole("samples", 1, most_samples).value_or(0);
    search.layers = from.text("layers").value_or(std::string(search::default_layer_range));
    search.objective =
        from.one_of("objective", {"accuracy", "likelihood", "centred", "mixed", "auc", "entropy"})
            .value_or("mixed");
    const search::search_objective objective =
        search::find_objective(search.objective).value_or(search::search_objective::accuracy);
    search.select = from.text("select").value_or(std::string(search::default_selection(objective)));
    search.ranked = from.one_of("strategy", {"exact", "ranked"}).value_or("exact") == "ranked";
    if (!search.ranked && from.has("budget"))
      from.refuse("budget", "goes with strategy = \"ranked\", which has one");
    search.budget = from.positive("budget", 1).value_or(search::ranked_options().budget);
    from.refuse_others();
    search.rule = search::parse_selection(search.select, objective, from.where("select"));
    if (search.ranked && search.rule.method == search::selection_method::initial_mass)
      from.refuse("strategy", "is ranked, by what heads gain, and initial-mass asks for no gain");
    search.rule.seed = made_.seed;
    if (search.each_task && !heads.tasks.empty() && search.tasks.empty()) search.tasks = heads.tasks;
    std::vector<std::string> searched;
    for (const suite_task& task : made_.tasks) {
      const bool named = std::find(search.tasks.begin(), search.tasks.end(), task.name) != search.tasks.end();
      if (named && task.generates())
        from.refuse("tasks", "names '" + task.name + "', whose answers are generated: no search runs on it");
      if (task.generates() || (!named && !search.tasks.empty())) continue;
      searched.push_back(task.name);
      if (task.labelled == 0) {
        throw error(error_code::invalid_input, from.where(),
                    "the search of '" + heads.name + "' needs 'labelled' samples of task '" + task.name +
                        "'; give a number there or in [defaults]");
      }
    }
    if (searched.empty())
      throw error(error_code::invalid_input, from.where(),
                  "the search of '" + heads.name + "' has no task to run on");
    search.tasks = std::move(searched);
    return search;
  }

  // Heads of different models may go by one name: a row of the tables.
  void check_name(const suite_heads& heads, const toml_section& from) const {
    for (const suite_heads& other : made_.heads) {
      const bool apart =
          !heads.models.empty() && !other.models.empty() &&
          std::none_of(heads.models.begin(), heads.models.end(), [&](const std::string& model) {
            return std::find(other.models.begin(), other.models.end(), model) != other.models.end();
          });
      if (other.name == heads.name && !apart) {
        from.refuse("name", "'" + heads.name + "' is there twice for one model; give one another name");
      }
    }
  }

  // Every file that a pattern stands for.
  void check_heads_files(const suite_heads& heads, const toml_section& from) const {
    if (heads.file.empty()) return;
    for (const suite_model& model : made_.models) {
      if (!heads.models.empty() &&
          std::find(heads.models.begin(), heads.models.end(), model.name) == heads.models.end())
        continue;
      for (const suite_task& task : made_.tasks) {
        if (!heads.tasks.empty() &&
            std::find(heads.tasks.begin(), heads.tasks.end(), task.name) == heads.tasks.end())
          continue;
        (void)existing(from, "file", with_names(heads.file, model, task));
      }
    }
  }

  void check_maps() const {
    if (!made_.baselines.maps()) return;
    const bool any = std::any_of(made_.tasks.begin(), made_.tasks.end(),
                                 [](const suite_task& task) { return task.labelled > 0; });
    if (!any) {
      root_.refuse("baselines",
                   "has maps, which are fitted on labelled samples, and no task has 'labelled' ones");
    }
  }

  std::string path_;
  toml_section root_;
  asked_settings defaults_;
  suite made_;
};

}  // namespace

std::string with_names(std::string pattern, const suite_model& model, const suite_task& task) {
  for (const auto& [mark, name] : {std::pair<std::string_view, const std::string&>{"{model}", model.name},
                                   std::pair<std::string_view, const std::string&>{"{task}", task.name}}) {
    for (std::size_t at = 0; (at = pattern.find(mark, at)) != std::string::npos; at += name.size())
      pattern.replace(at, mark.size(), name);
  }
  return pattern;
}

suite parse_suite(std::string_view text, const std::string& path) {
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& problem) {
    std::string why(problem.description());
    std::replace(why.begin(), why.end(), '\n', ' ');
    throw error(error_code::invalid_input, path + ":" + std::to_string(problem.source().begin.line),
                "isn't TOML: " + why);
  }
  try {
    return suite_reader(path, root).read();
  } catch (const error& problem) {
    if (problem.code() != error_code::invalid_option) throw;
    // What is a wrong option on a command line is wrong input in a file.
    throw error(error_code::invalid_input, problem.where(),
                std::string_view(problem.what()).substr(problem.where().size() + 2));
  }
}

suite read_suite(const std::string& path) {
  return parse_suite(io::read_text_file(path).text, path);
}

}  // namespace act::suite
