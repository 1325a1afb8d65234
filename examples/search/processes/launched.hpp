// What MPI launchers put into the environment of the processes that they start: how a program knows that it
// is one of several, before and without any MPI.
#pragma once

#include <array>

namespace act_program {

/// How many processes there are.
inline constexpr std::array size_variables{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"};
/// Which of them this one is, where a launcher says no more (srun --mpi=pmix).
inline constexpr std::array rank_variables{"PMIX_RANK", "PMI_RANK"};

}  // namespace act_program
