#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/parse_json.hpp>
#include <act/io/text_file.hpp>
#include <act/options.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prompt_part.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::search {

namespace {

// Typed access to a heads file's members; every error names the file and the member.
class heads_file_reader {
 public:
  using json = nlohmann::ordered_json;

  heads_file_reader(const std::string& name, const json& document) : name_(name), document_(document) {}

  heads_file read() const {
    if (!document_.is_object()) {
      refuse("", "must be a JSON object");
    }
    if (is_pastas()) return read_pastas();
    if (document_.contains("format") && document_.at("format") != "act-heads") {
      refuse("format", "isn't \"act-heads\"; this isn't a heads file");
    }
    if (document_.contains("version") && document_.at("version") != 1) {
      refuse("version", "isn't 1, the only one this act reads; use the act that wrote it");
    }
    heads_file file;
    if (const json* model = object("model")) {
      file.model = {text(*model, "model.", "architecture"), count(*model, "model.", "layers"),
                    count(*model, "model.", "heads"), text(*model, "model.", "fingerprint"),
                    text(*model, "model.", "compute")};
    }
    if (const json* options = object("options")) {
      const tasks::named_calibration read = read_options(*options);
      file.options = read.options;
      file.subset = read.subset;
      file.masks = read.masks;
    }
    if (const json* evidence = object("evidence")) {
      file.evidence = io::json_document::of(*evidence);
    }
    read_heads(file);
    return file;
  }

 private:
  [[noreturn]] void refuse(const std::string& member, const std::string& what) const {
    throw error(error_code::invalid_input, name_, member.empty() ? what : "\"" + member + "\" " + what);
  }

  /// Whether every member's name is a number: PASTA's layers, each with its heads.
  bool is_pastas() const {
    if (document_.empty()) return false;
    for (const auto& [key, value] : document_.items()) {
      if (key.empty() || key.find_first_not_of("0123456789") != std::string::npos) return false;
    }
    return true;
  }

  heads_file read_pastas() const {
    heads_file file;
    for (const auto& [key, listed] : document_.items()) {
      const std::size_t layer = key.size() > 5 ? 65536 : std::stoul(key);
      if (layer > 65535) refuse(key, "is no layer; they are whole numbers up to 65535");
      if (!listed.is_array()) refuse(key, "must be a list of the layer's heads");
      for (const json& each : listed) {
        const std::optional<std::size_t> head = whole(each);
        if (!head) refuse(key, "must list whole numbers, heads counted from 0");
        if (!file.heads.insert(layer, *head)) {
          refuse(key, "names head " + std::to_string(*head) + " of the layer twice; remove one");
        }
      }
    }
    return file;
  }

  const json* object(const char* key) const {
    if (!document_.contains(key)) {
      return nullptr;
    }
    if (!document_.at(key).is_object()) {
      refuse(key, "must be an object; leave it out if there is nothing to say");
    }
    return &document_.at(key);
  }

  std::string text(const json& from, const std::string& path, const char* key) const {
    if (!from.contains(key)) {
      return {};
    }
    if (!from.at(key).is_string()) {
      refuse(path + key, "must be a string");
    }
    return from.at(key).get<std::string>();
  }

  std::size_t count(const json& from, const std::string& path, const char* key) const {
    if (!from.contains(key)) {
      return 0;
    }
    const std::optional<std::size_t> number = whole(from.at(key));
    if (!number || *number == 0) {
      refuse(path + key, "must be a whole number from 1 to 65535");
    }
    return *number;
  }

  /// No model has more layers or heads than fit 16 bits.
  static std::optional<std::size_t> whole(const json& value) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 65535) {
      return std::nullopt;
    }
    return static_cast<std::size_t>(value.get<std::uint64_t>());
  }

  tasks::named_calibration read_options(const json& from) const {
    tasks::named_calibration read;
    calibration_options& options = read.options;
    tasks::redistribution_name named_redistribution;
    std::string columns = tasks::columns_of(read);
    for (const auto& [key, value] : from.items()) {
      const std::string member = "options." + key;
      const auto number = [&, &item = value]() {
        if (!item.is_number()) {
          refuse(member, "must be a number");
        }
        return item.template get<double>();
      };
      const auto named = [&, &item = value]<class Option>(Option) {
        const std::optional<Option> found =
            item.is_string() ? tasks::find_option<Option>(item.template get<std::string>()) : std::nullopt;
        if (!found) {
          refuse(member, "must be one of " + tasks::listed_options<Option>());
        }
        return *found;
      };
      if (key == "rule") {
        options.sinks.rule = named(options.sinks.rule);
      } else if (key == "alpha") {
        options.sinks.alpha = number();
      } else if (key == "tau") {
        options.sinks.tau = number();
      } else if (key == "min_visible_rows") {
        const std::optional<std::size_t> rows = whole(value);
        if (!rows) {
          refuse(member, "must be a whole number from 1 to 65535");
        }
        options.sinks.min_visible_rows = *rows;
      } else if (key == "beta") {
        options.beta = number();
      } else if (key == "redistribution") {
        if (!value.is_string()) refuse(member, "must be one of " + tasks::listed_redistributions());
        named_redistribution.name = value.get<std::string>();
      } else if (key == "columns") {
        if (!value.is_string()) refuse(member, "must be one of " + tasks::listed_columns());
        columns = value.get<std::string>();
      } else if (key == "factor") {
        options.factor = number();
      } else if (key == "mask") {
        if (!value.is_boolean()) refuse(member, "must be true or false");
        read.masks = value.get<bool>();
        if (read.masks && from.size() > 1)
          refuse(member, "makes every other option meaningless; remove them, or it");
      } else if (key == "subset") {
        read.subset = named(tasks::prompt_part::question);
      } else if (key == "theta") {
        named_redistribution.theta = number();
      } else if (key == "compatibility") {
        options.behave_as = named(options.behave_as);
      } else {
        refuse(member,
               "isn't an option this act knows, and leaving it out would calibrate differently; remove it or "
               "use the act that wrote it");
      }
    }
    try {
      set_redistribution(options, named_redistribution, {});
    } catch (const error&) {
      refuse("options.redistribution", "must be one of " + tasks::listed_redistributions());
    }
    if (read.subset && tasks::find_option<tasks::prompt_part>(columns))
      refuse("options.subset", "and \"options.columns\" both name a part of a prompt; give one");
    try {
      set_columns(read, columns, {});
    } catch (const error&) {
      refuse("options.columns", "must be one of " + tasks::listed_columns());
    }
    if (const problem found = read.validate()) {
      refuse("options", std::string(found.where) + " " + std::string(found.message));
    }
    return read;
  }

  void read_heads(heads_file& file) const {
    const runtime::model_identity& model = file.model;
    if (!document_.contains("heads")) {
      refuse("heads", "is missing; a heads file must hold \"heads\": [[layer, head], ...]");
    }
    if (!document_.at("heads").is_array()) {
      refuse("heads", "must be a list of [layer, head] pairs");
    }
    std::map<layer_head, double> strengths;
    std::size_t position = 0;
    for (const json& entry : document_.at("heads")) {
      const std::string member = "heads[" + std::to_string(position++) + "]";
      const bool shaped = entry.is_array() && (entry.size() == 2 || entry.size() == 3);
      const std::optional<std::size_t> layer = shaped ? whole(entry[0]) : std::nullopt;
      const std::optional<std::size_t> head = shaped ? whole(entry[1]) : std::nullopt;
      if (!layer || !head) {
        refuse(member, "must be [layer, head], two whole numbers counted from 0");
      }
      if ((model.layers > 0 && *layer >= model.layers) || (model.heads > 0 && *head >= model.heads)) {
        refuse(member, "is outside the file's own \"model\"; counting starts at 0");
      }
      if (!file.heads.insert(*layer, *head)) {
        refuse(member, "repeats an earlier pair; remove one");
      }
      if (entry.size() == 3) {
        if (!entry[2].is_number()) refuse(member, "has a strength that isn't a number");
        strengths[{*layer, *head}] = entry[2].get<double>();
      }
    }
    if (strengths.empty()) return;
    const calibration_options options = file.options.value_or(calibration_options{});
    if (file.masks) refuse("heads", "have strengths, which masked heads don't; remove them or \"mask\"");
    const double others =
        options.redistribute == redistribution::renormalised ? options.factor : options.beta;
    for (const layer_head& each : file.heads) {
      const auto own = strengths.find(each);
      file.strengths.push_back(own == strengths.end() ? others : own->second);
    }
    calibration_options with = options;
    with.strengths = file.strengths;
    // Positions aren't known before a prompt is.
    with.subset = {};
    if (with.redistribute == redistribution::subset) with.redistribute = redistribution::proportional;
    with.columns = column_choice::sinks;
    if (const problem found = with.validate(); found && found.where == "strengths") {
      refuse("heads", "have strengths that " + std::string(found.message));
    }
  }

  const std::string& name_;
  const json& document_;
};

}  // namespace

heads_file parse_heads_file(std::string_view text, const std::string& name) {
  const auto document =
      io::parse_json<nlohmann::ordered_json>(text, name, "is it complete, and a heads file?");
  return heads_file_reader(name, document).read();
}

heads_file read_heads_file(const std::string& path) {
  return parse_heads_file(io::read_text_file(path).text, path);
}

io::json_document to_json(const tasks::named_calibration& calibration) {
  if (calibration.masks) return io::json_document::object({{"mask", true}});
  const calibration_options& options = calibration.options;
  io::json_document object =
      io::json_document::object({{"rule", tasks::name_of(options.sinks.rule)},
                                 {"alpha", options.sinks.alpha},
                                 {"tau", options.sinks.tau},
                                 {"min_visible_rows", options.sinks.min_visible_rows},
                                 {"beta", options.beta},
                                 {"redistribution", tasks::redistribution_of(options).name}});
  if (options.columns != column_choice::sinks) {
    object.set("columns", tasks::columns_of(calibration));
  } else if (calibration.subset) {
    object.set("subset", tasks::name_of(*calibration.subset));
  }
  if (options.redistribute == redistribution::renormalised) {
    object.set("factor", options.factor);
  }
  if (const tasks::redistribution_name named = tasks::redistribution_of(options); named.has_theta()) {
    object.set("theta", named.theta);
  }
  object.set("compatibility", tasks::name_of(options.behave_as));
  return object;
}

std::vector<double> strengths_under(const heads_file& file, const tasks::named_calibration& in_force,
                                    const std::string& name) {
  if (file.strengths.empty()) return {};
  const calibration_options own = file.options.value_or(calibration_options{});
  const calibration_options& options = in_force.options;
  if (in_force.masks || own.beta != options.beta || own.factor != options.factor ||
      own.redistribute != options.redistribute) {
    throw error(error_code::invalid_option, name,
                "gives heads strengths of their own; leave out other strengths and redistributions, or take "
                "the strengths out of the file");
  }
  return file.strengths;
}

std::vector<std::size_t> searched_samples(const heads_file& file, std::string_view data_sha256) {
  std::vector<std::size_t> seen;
  for (const searched_file& each : searched_files(file)) {
    if (each.sha256 == data_sha256) seen.insert(seen.end(), each.samples.begin(), each.samples.end());
  }
  return seen;
}

std::vector<searched_file> searched_files(const heads_file& file) {
  std::vector<searched_file> files;
  const nlohmann::ordered_json& evidence = file.evidence.value();
  if (!evidence.contains("sources") || !evidence["sources"].is_array()) return files;
  for (const nlohmann::ordered_json& source : evidence["sources"]) {
    if (!source.is_object() || !source.contains("samples") || !source["samples"].is_array()) continue;
    const auto text = [&](const char* key) {
      return source.contains(key) && source[key].is_string() ? source[key].get<std::string>() : std::string();
    };
    searched_file& found = files.emplace_back(
        searched_file{.task = text("task"), .file = text("file"), .sha256 = text("sha256"), .samples = {}});
    for (const nlohmann::ordered_json& index : source["samples"]) {
      if (index.is_number_unsigned()) found.samples.push_back(index.get<std::size_t>());
    }
  }
  return files;
}

std::string format_heads_file(const heads_file& file) {
  io::json_document document =
      io::json_document::object({{"format", "act-heads"}, {"version", 1}, {"model", to_json(file.model)}});
  if (file.options) {
    document.set("options", to_json({.options = *file.options, .subset = file.subset, .masks = file.masks}));
  }
  auto heads = io::json_document::array();
  std::size_t number = 0;
  for (const layer_head& each : file.heads) {
    auto entry = io::json_document::array({each.layer, each.head});
    if (!file.strengths.empty()) entry.push_back(file.strengths.at(number++));
    heads.push_back(std::move(entry));
  }
  document.set("heads", std::move(heads));
  document.set("evidence", file.evidence);
  return document.pretty() + "\n";
}

void write_heads_file(const std::string& path, const heads_file& file) {
  io::write_file(path, format_heads_file(file));
}

fingerprint_check check_fit(const heads_file& file, const runtime::model_identity& loaded,
                            const std::string& name, bool force, std::string_view forced_by) {
  for (const layer_head& each : file.heads) {
    if (each.layer >= loaded.layers || each.head >= loaded.heads) {
      throw error(error_code::mismatch, name,
                  "head [" + std::to_string(each.layer) + ", " + std::to_string(each.head) +
                      "] is outside the model, which has " + std::to_string(loaded.layers) + " layers of " +
                      std::to_string(loaded.heads) + " heads; use the heads file of this model");
    }
  }
  if (file.model.fingerprint.empty()) {
    return fingerprint_check::absent;
  }
  if (file.model.fingerprint == loaded.fingerprint) {
    return fingerprint_check::matches;
  }
  if (!force) {
    throw error(error_code::mismatch, name,
                "was made for another model (fingerprint " + file.model.fingerprint +
                    ", the loaded one has " + loaded.fingerprint + "); use this model's heads file, or " +
                    std::string(forced_by));
  }
  return fingerprint_check::overridden;
}

}  // namespace act::search
