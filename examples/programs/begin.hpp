// How a program begins: as the build of it that fits the processor, and with threads that don't wait at the
// cost of others' work.
#pragma once

namespace act_program {

/// Call this first of all in main(), with its arguments. Lets the program begin anew, as the same process
/// with the same arguments, where it should be another file (processor_level.hpp) or where OpenMP, which
/// reads its environment before main(), has to be told how threads wait. By default they spin for
/// milliseconds: beside one other program that holds a core, two such threads take longer than one thread
/// alone would. Sleeping at once costs a decoding step, whose pieces are tens of microseconds, a fifth of its
/// speed. So where the user has said nothing about it (OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME), this
/// says OMP_WAIT_POLICY=passive and GOMP_SPINCOUNT=2000 (a few microseconds). Where a program can't begin
/// anew it returns, and the program works as it would have.
void begin_program(char** arguments) noexcept;

}  // namespace act_program
