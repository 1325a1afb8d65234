#include "runtime/process_memory.hpp"

#include <fstream>
#include <sstream>
#include <string>

namespace act_bench {

process_memory memory_of_this_process() {
  process_memory found;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    std::istringstream fields(line);
    std::string name;
    std::size_t kibibytes = 0;
    if (!(fields >> name >> kibibytes)) continue;
    if (name == "VmHWM:") found.peak = kibibytes * 1024;
    if (name == "RssAnon:") found.anonymous = kibibytes * 1024;
    if (name == "RssFile:") found.file = kibibytes * 1024;
  }
  return found;
}

}  // namespace act_bench
