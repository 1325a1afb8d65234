// Threads that wait for the next piece of work must not cost the work of others. By default an OpenMP runtime
// lets them spin for milliseconds: beside one other program that holds a core, two such threads take longer
// than one thread alone would. Sleeping at once costs a decoding step, whose pieces are tens of microseconds,
// a fifth of its speed. So they spin about as long as waking takes, and then sleep.
#pragma once

namespace act_program {

/// Call this first of all in main(), with its arguments. OpenMP reads its environment when it is loaded, so
/// before main(): where the user has said nothing about waiting (OMP_WAIT_POLICY, GOMP_SPINCOUNT,
/// KMP_BLOCKTIME), this says OMP_WAIT_POLICY=passive and GOMP_SPINCOUNT=2000 (a few microseconds) and lets
/// the program begin anew, as the same process with the same arguments. Where that can't be done it returns,
/// and the program works as it would have.
void let_waiting_threads_sleep(char** arguments) noexcept;

}  // namespace act_program
