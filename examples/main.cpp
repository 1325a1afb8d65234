// main() of each program; ACT_PROGRAM is which one (examples/CMakeLists.txt).
#include "main.hpp"

int main(int count, char** arguments) {
  return ACT_PROGRAM(count, arguments);
}
