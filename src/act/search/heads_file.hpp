// The heads file: which heads a search found, for which model, with which options, on what evidence. Written
// by act-search, by people and by other programs; read by everything that calibrates. JSON, only "heads" is
// required:
//   {"format": "act-heads", "version": 1,
//    "model": {"architecture", "layers", "heads", "fingerprint"},
//    "options": {"rule", "alpha", "tau", "min_visible_rows", "beta", "redistribution", "subset", "theta",
//    "columns", "factor", ...}, "heads": [[layer, head], ...], "evidence": {...}}
// A head may be [layer, head, strength]: a beta of its own, or a factor where the options renormalise.
// PASTA's files of heads, {"LAYER": [HEAD, ...], ...}, are read too: they are heads and nothing else.
#pragma once

#include <act/head_set.hpp>
#include <act/io/json_document.hpp>
#include <act/options.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/prompt_part.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace act::search {

struct heads_file {
  runtime::model_identity model;
  std::optional<calibration_options> options;  ///< empty: the file has none, use the defaults
  std::optional<tasks::prompt_part> subset =
      {};              ///< whose positions the options' redistribution::subset takes, or their span
  bool masks = false;  ///< the options mask the heads
  head_set heads;      ///< may be empty: a search that found none
  /// Of each of `heads`, in their order, its own beta, or factor with renormalised redistribution; none: the
  /// options'
  std::vector<double> strengths = {};
  io::json_document evidence = io::json_document::object();  ///< for people and programs; kept as it is
};

/// Reads the text of a heads file; `name` prefixes the errors. Members act doesn't know are passed over,
/// except among the options, where they would change the result. Throws error (invalid_input).
[[nodiscard]] heads_file parse_heads_file(std::string_view text, const std::string& name);

/// Throws error (io) when the file can't be read, and what parse_heads_file throws.
[[nodiscard]] heads_file read_heads_file(const std::string& path);

/// The options as a JSON object, under the names of a heads file; subset, theta, columns and factor only
/// where they are used, and of masked heads nothing but that.
[[nodiscard]] io::json_document to_json(const tasks::named_calibration& calibration);

/// The file's strengths under the options in force. Throws error (invalid_option) whose where() is `name`
/// when there are some and the options in force say otherwise than the file's how strong a calibration is:
/// both can't hold.
[[nodiscard]] std::vector<double> strengths_under(const heads_file& file,
                                                  const tasks::named_calibration& in_force,
                                                  const std::string& name);

/// Positions of the samples of the data file with that SHA-256 that the search has seen, as the evidence has
/// them; none where it doesn't say.
[[nodiscard]] std::vector<std::size_t> searched_samples(const heads_file& file, std::string_view data_sha256);

/// A data file that the search has seen, as the evidence has it.
struct searched_file {
  std::string task;
  std::string file;
  std::string sha256;
  std::vector<std::size_t> samples;  ///< positions in it
};

/// Of each source in the evidence; what it does not say is empty.
[[nodiscard]] std::vector<searched_file> searched_files(const heads_file& file);

/// The text of a heads file. The same value gives the same bytes: no date, no timing.
[[nodiscard]] std::string format_heads_file(const heads_file& file);

/// Never leaves half a file. Throws error (io).
void write_heads_file(const std::string& path, const heads_file& file);

enum class fingerprint_check {
  matches,
  absent,      ///< the file doesn't say which model it is for: worth a warning
  overridden,  ///< it is another model's, and the user said to use it all the same
};

/// Whether the heads fit the loaded model. `name` prefixes the errors. Throws error (mismatch) when a head is
/// outside the model, which nothing overrides, or when the fingerprints differ and `force` is false, which
/// the message calls `forced_by`.
[[nodiscard]] fingerprint_check check_fit(const heads_file& file, const runtime::model_identity& loaded,
                                          const std::string& name, bool force,
                                          std::string_view forced_by = "force");

}  // namespace act::search
