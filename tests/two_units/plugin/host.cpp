// Loads two plug-ins that hold the core, uses them, and unloads them: each has a thread limit of its own, and
// neither stays in memory. host FIRST SECOND
#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

int failures = 0;

void check(bool met, const char* what) {
  if (met) return;
  std::printf("FAILED: %s\n", what);
  ++failures;
}

bool is_mapped(const char* file) {
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  char line[4096];
  bool found = false;
  while (std::fgets(line, sizeof line, maps) != nullptr)
    found = found || std::strstr(line, file) != nullptr;
  std::fclose(maps);
  return found;
}

struct plugin {
  void* handle;
  int (*calibrate)(float*, std::size_t, std::size_t, std::size_t);
  void (*set_threads)(std::size_t);
  std::size_t (*threads)();

  explicit plugin(const char* file) : handle(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
    if (handle == nullptr) std::printf("%s\n", dlerror());
    find(calibrate, "plugin_calibrate");
    find(set_threads, "plugin_set_threads");
    find(threads, "plugin_threads");
  }

  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const plugin first(argv[1]), second(argv[2]);
  for (const plugin& each : {first, second}) {
    std::vector<float> map(4 * 256 * 256, 1.0F / 256);  // large enough for threads
    check(each.calibrate(map.data(), 4, 256, 1) == 1, "a plug-in doesn't calibrate");
    check(each.calibrate(map.data(), 4, 256, 9) == -1, "a plug-in doesn't refuse a head it hasn't");
  }
  const std::size_t before = second.threads();
  first.set_threads(before + 1);
  std::printf("second plug-in's threads: %zu, after the first's limit of %zu: %zu\n", before, before + 1,
              second.threads());
  check(second.threads() == before, "one plug-in's limit is the other's too");
  dlclose(first.handle);
  dlclose(second.handle);
  for (const char* file : {argv[1], argv[2]}) {
    std::printf("%s is %s\n", file, is_mapped(file) ? "still mapped" : "unloaded");
    check(!is_mapped(file), "a plug-in stays in memory");
  }
  return failures == 0 ? 0 : 1;
}
