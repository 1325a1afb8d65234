// Empty requests need no device: both units answer, so both are linked.
#include <cstdio>

#include "cuda/architectures/calls.hpp"

int main() {
  const act::cuda::status first = float_calls(), second = half_calls();
  std::printf("float unit: %s; half unit: %s\n", act::cuda::describe(first), act::cuda::describe(second));
  return first == act::cuda::status::ok && second == act::cuda::status::ok ? 0 : 1;
}
