// Ablations: a suite's heads calibrated in several settings that differ in one thing, beside the plain model.
// Each is a suite made from another one, so it is run, stored and gone on from as that; the paper's tables 6
// to 11, and what the paper leaves open.
#pragma once

#include <act/suite/results.hpp>
#include <act/suite/suite.hpp>
#include <act/suite/suite_tables.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::suite {

/// One that there is.
struct ablation {
  std::string_view name;   ///< as it is asked for
  std::string_view paper;  ///< "Table 9"; empty: the paper leaves it open
  std::string_view what;   ///< what differs, for a listing and a table's title
};

/// In the order of the paper's tables, then those it leaves open.
[[nodiscard]] std::span<const ablation> all_ablations() noexcept;

/// A list of all, a line each.
[[nodiscard]] std::string listed_ablations();

/// One setting of one of the suite's [[heads]].
struct ablation_setting {
  std::string heads;    ///< the entry that it became
  std::string base;     ///< the entry that it is a setting of; of transfer all searches'
  std::string setting;  ///< as the table calls it; "as given" for the entry itself
};

struct ablated_suite {
  ablation of;
  suite made;  ///< its heads are the settings; without baselines; its store is the suite's "-ablations"
  std::vector<ablation_setting> settings;
};

/// `from` with every [[heads]] entry in the settings of the ablation that is called `name`; the entry itself
/// comes first, under its own name, so that ablations in one store share its scores and the plain ones. Tasks
/// that don't have a setting (a part of the prompt; decoding in another form) are left out of it. Throws
/// `error` (invalid_option) for a name that there isn't, with the nearest one, and (invalid_input) for a
/// suite whose heads have no such setting: without [[heads]], without a [heads.search] where that is what
/// differs.
[[nodiscard]] ablated_suite ablated(const suite& from, std::string_view name);

/// A row a model and setting: accuracy on each task and the average, per cent; the average difference from
/// the plain model of accuracy and of AUC, with an interval that takes the tasks' intervals as independent
/// normal ones. Tasks whose answers are generated aren't in it; without rows where there are no others.
[[nodiscard]] result_table ablation_table(const ablated_suite& of, const suite_results& results);

/// The same of tasks whose answers are generated: exact match and F1.
[[nodiscard]] result_table ablation_answers_table(const ablated_suite& of, const suite_results& results);

}  // namespace act::suite
