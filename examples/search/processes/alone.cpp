// Without MPI there is one process.
#include <act/error.hpp>

#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "search/processes/processes.hpp"

namespace act_program {

struct processes::parts {};

processes::processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"}) {
    const char* const size = std::getenv(name);
    if (size != nullptr && std::string_view(size) != "1") {
      throw act::error(
          act::error_code::unsupported, "act-search",
          "is one of " + std::string(size).substr(0, 20) +
              " processes but was built without MPI, so each would do the whole search; build it with "
              "ACT_USE_MPI=ON, or divide the search by --shard");
    }
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
