// The processes that a launcher (mpirun, srun) started together for one search: the first leads, deals blocks
// and writes the state; the others run what they are given. mpi.cpp is built where MPI is found, alone.cpp
// where it isn't.
#pragma once

#include <act/search/trial_workers.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace act_program {

class processes {
 public:
  /// Joins the others, if a launcher started any; MPI isn't touched otherwise. Throws act::error
  /// (unsupported) where there are some and this program was built without MPI: each would do the whole
  /// search.
  processes();
  processes(const processes&) = delete;
  processes& operator=(const processes&) = delete;
  /// Lets the others end, too.
  ~processes();

  [[nodiscard]] std::size_t count() const noexcept;
  /// Whether this is the first, or the only one.
  [[nodiscard]] bool leads() const noexcept;

  /// For the first: this process and the others as workers. It mustn't outlive them, nor the model and the
  /// plan.
  [[nodiscard]] std::unique_ptr<act::search::trial_workers> workers(const act::runtime::model& model,
                                                                    const act::search::search_plan& plan);
  /// For the others: runs blocks until the first says that there are no more.
  void serve(const act::runtime::model& model, const act::search::search_plan& plan);

  /// Something went wrong in this process before or outside of blocks. In the first nothing happens: its
  /// destructor ends the others. Another one tells the first, waits for it and ends here.
  void failed(std::string_view what) noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace act_program
