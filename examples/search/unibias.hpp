// act-search --select unibias: heads by UniBias's criteria instead of trials.
#pragma once

namespace act::runtime {
struct loaded_model;
}
namespace act::search {
struct search_plan;
}

namespace act_program {

class command_line;
class processes;
struct passed_over;
struct search_options;

/// Throws act::error (invalid_option) for options that have no meaning beside it (`line` knows which were
/// given), for a search without --mask, and for several processes.
void check_unibias(const command_line& line, const processes& all, const search_options& options);

/// Finds the heads, writes --out and --json, and says on stdout what it found. Throws act::error for samples
/// that don't have the same labels.
void run_unibias(const command_line& line, const act::search::search_plan& plan,
                 const act::runtime::loaded_model& loaded, const passed_over& passed,
                 const search_options& options);

}  // namespace act_program
