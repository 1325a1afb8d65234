// A plug-in with the core in it, as a host loads and unloads one. Linked twice.
#include <act/calibrate.hpp>

#include <cstddef>
#include <vector>

#define PLUGIN_DOOR extern "C" __attribute__((visibility("default")))

PLUGIN_DOOR int plugin_calibrate(float* weights, std::size_t heads, std::size_t tokens,
                                 std::size_t chosen) noexcept {
  try {
    const auto map = act::attention_span<float>::packed(weights, 1, heads, tokens, tokens);
    return static_cast<int>(act::calibrate(map, {chosen}).heads.size());
  } catch (const act::error&) {
    return -1;
  }
}

PLUGIN_DOOR void plugin_set_threads(std::size_t count) noexcept {
  act::set_thread_count(count);
}

PLUGIN_DOOR std::size_t plugin_threads() noexcept {
  return act::thread_count();
}
