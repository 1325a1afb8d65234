// Without MPI there is one process.
#include <act/error.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "search/processes/launched.hpp"
#include "search/processes/processes.hpp"

namespace act_program {

struct processes::parts {};

processes::processes() {
  const auto refuse = [](const std::string& how_many) {
    throw act::error(
        act::error_code::unsupported, "act-search",
        "is one of " + how_many +
            " processes but was built without MPI, so each would do the whole search; build it with "
            "ACT_USE_MPI=ON, or divide the search by --shard");
  };
  bool said = false;
  for (const char* name : size_variables) {
    const char* const size = std::getenv(name);
    said = said || size != nullptr;
    if (size != nullptr && std::string_view(size) != "1") refuse(std::string(size).substr(0, 20));
  }
  for (const char* name : rank_variables) {
    const char* const tasks = std::getenv("SLURM_NTASKS");
    const bool one = tasks != nullptr && std::string_view(tasks) == "1";
    if (!said && !one && std::getenv(name) != nullptr) refuse("several MPI");
  }
}

processes::~processes() = default;

std::size_t processes::count() const noexcept {
  return 1;
}

bool processes::leads() const noexcept {
  return true;
}

std::unique_ptr<act::search::trial_workers> processes::workers(const act::runtime::model& model,
                                                               const act::search::search_plan& plan) {
  return std::make_unique<act::search::local_workers>(model, plan);
}

void processes::serve(const act::runtime::model& /*model*/, const act::search::search_plan& /*plan*/) {}

void processes::failed(std::string_view /*what*/) noexcept {}

}  // namespace act_program
