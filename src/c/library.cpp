// The library's doors: structures of any version become the newest, the unit for this processor does the
// work. Compiled without -m flags, as everything that runs before the choice must be.
#include <act/c.h>
#include <act/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "entry_points.hpp"

namespace {

// Ascending: the last that runs is the best.
constexpr const act_c::entry_points* all_units[] = {&act_c::baseline,
#if defined(ACT_C_X86)
                                                    &act_c::avx2, &act_c::avx512
#endif
};

const act_c::entry_points& choose() noexcept {
  // For tests, and for measuring: no more than this one.
  const char* const most = std::getenv("ACT_INSTRUCTION_SET");
  const act_c::entry_points* best = all_units[0];
  for (const act_c::entry_points* each : all_units) {
    if (each->runs_here()) best = each;
    if (most != nullptr && std::string_view(most) == each->name) break;
  }
  return *best;
}

const act_c::entry_points& units() noexcept {
  static const act_c::entry_points& chosen = choose();
  return chosen;
}
/// Maps and attention in double are one unit's alone.
const act_c::entry_points& units_for(act_type type) noexcept {
  return type == ACT_FLOAT64 ? act_c::baseline : units();
}

thread_local std::array<char, 256> last_message{};

act_status refuse(act_status code, std::string_view where, std::string_view message) noexcept {
  std::snprintf(last_message.data(), last_message.size(), "%.*s: %.*s", static_cast<int>(where.size()),
                where.data(), static_cast<int>(message.size()), message.data());
  return code;
}
act_status answer(act::status code, const act::problem& refused) noexcept {
  if (code == act::status::ok) return ACT_OK;
  return refuse(static_cast<act_status>(code), refused.where, refused.message);
}
act_status out_of_memory() noexcept {
  return refuse(ACT_OUT_OF_MEMORY, "memory", "is all in use: bring a workspace, or ask for less");
}
static_assert(static_cast<act_status>(act::status::invalid_shape) == ACT_INVALID_SHAPE &&
              static_cast<act_status>(act::status::invalid_option) == ACT_INVALID_OPTION &&
              static_cast<act_status>(act::status::unsupported) == ACT_UNSUPPORTED &&
              static_cast<act_status>(act::status::workspace_too_small) == ACT_WORKSPACE_TOO_SMALL);

/// Begins a call: forgets what the last one said.
void begin() noexcept {
  last_message[0] = '\0';
}

/// What a caller of any version gave, as the newest structure: members that he doesn't know are `to`'s. False
/// where he says something that this library doesn't know.
template <class Structure>
bool read(const Structure* given, Structure& to, std::size_t least, const char* name,
          act_status& done) noexcept {
  if (given == nullptr) return true;
  if (given->size < least) {
    done =
        refuse(ACT_INVALID_OPTION, name, "has a size that isn't a structure's: begin with its initialiser");
    return false;
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  const bool known = given->size <= sizeof to || std::all_of(bytes + sizeof to, bytes + given->size,
                                                             [](unsigned char each) { return each == 0; });
  if (!known) {
    done = refuse(ACT_UNSUPPORTED, name, "says what this library is too old for");
    return false;
  }
  std::memcpy(&to, given, std::min(given->size, sizeof to));
  return true;
}
// Sizes of 1.0: what the first callers were compiled with.
constexpr std::size_t visibility_1 = offsetof(act_visibility, all_keys), map_1 = sizeof(act_map),
                      tensor_1 = sizeof(act_tensor), options_1 = offsetof(act_options, position_limit),
                      attention_1 = sizeof(act_attention), executor_1 = sizeof(act_executor),
                      context_1 = sizeof(act_context);

/// A call's arguments as they are read, one after another until one is wrong.
struct reading {
  act_status done = ACT_OK;

  bool needs(const void* given, const char* name) noexcept {
    if (done == ACT_OK && given == nullptr) done = refuse(ACT_INVALID_SHAPE, name, "is NULL");
    return done == ACT_OK;
  }
  template <class Structure>
  void take(const Structure* given, Structure& to, std::size_t least, const char* name) noexcept {
    if (done == ACT_OK) static_cast<void>(read(given, to, least, name, done));
  }
  void take_visibility(const act_visibility* given, act_visibility& to) noexcept {
    to = ACT_VISIBILITY_INIT;
    take(given, to, visibility_1, "visible");
  }
  void take_options(const act_options* given, act_options& to) noexcept {
    to = ACT_OPTIONS_INIT;
    take(given, to, options_1, "options");
  }
  void take_tensor(const act_tensor* given, act_tensor& to, const char* name) noexcept {
    if (needs(given, name)) take(given, to, tensor_1, name);
  }

  void take_map(const act_map* map, const act_heads* heads, const act_options* options, double* carried,
                act_c::map_arguments& to) noexcept {
    if (!needs(map, "map") || !needs(heads, "heads")) return;
    take(map, to.map, map_1, "map");
    take_visibility(to.map.visible, to.visible);
    take_options(options, to.options);
    to.heads = &heads->heads;
    to.carried_sums = carried;
  }
  void take_attention(const act_tensor* q, const act_tensor* k, const act_tensor* v, const act_tensor* out,
                      const act_heads* heads, const act_options* options, const act_attention* attention,
                      act_c::attention_arguments& to) noexcept {
    take_tensor(q, to.q, "q");
    take_tensor(k, to.k, "k");
    take_tensor(v, to.v, "v");
    take_tensor(out, to.out, "out");
    if (!needs(heads, "heads")) return;
    to.heads = &heads->heads;
    take_options(options, to.options);
    to.attention = ACT_ATTENTION_INIT;
    take(attention, to.attention, attention_1, "attention");
    take_visibility(to.attention.visible, to.visible);
  }
};

/// A C executor as the core's. `from` outlives the call.
act::executor executor_of(const act_executor& from) noexcept {
  if (from.run == nullptr) return {};
  return {from.workers, const_cast<act_executor*>(&from),
          [](void* view, std::size_t count, act::executor::task each, void* what) noexcept {
            const auto& pool = *static_cast<const act_executor*>(view);
            pool.run(pool.pool, count, each, what);
          }};
}

/// A call with its context: its memory, or the library's for this call.
template <class Needed, class Call>
act_status with_context(reading& so_far, const act_context* given, Needed&& needed, Call&& call) noexcept {
  act_c::call_arguments arguments{.context = ACT_CONTEXT_INIT, .run_on = {}, .refused = nullptr};
  so_far.take(given, arguments.context, context_1, "context");
  act_executor executor = ACT_EXECUTOR_INIT;
  so_far.take(arguments.context.executor, executor, executor_1, "executor");
  if (so_far.done != ACT_OK) return so_far.done;
  if (executor.run != nullptr && executor.workers == 0)
    return refuse(ACT_INVALID_OPTION, "executor", "needs a number of workers");
  arguments.run_on = executor_of(executor);
  std::unique_ptr<std::byte[]> own;
  if (arguments.context.workspace == nullptr) {
    const std::size_t bytes = needed(arguments.run_on);
    own.reset(new (std::nothrow) std::byte[bytes + 1]);
    if (own == nullptr) return out_of_memory();
    arguments.context.workspace = own.get();
    arguments.context.workspace_bytes = bytes;
  }
  act::problem refused{"call", act_status_message(ACT_UNSUPPORTED)};
  arguments.refused = &refused;
  return answer(call(arguments), refused);
}

act_status attend(act_c::attention_form form, reading& so_far, const act_c::attention_arguments& of,
                  act_trackers* trackers, const act_context* context) noexcept {
  // Trackers are the chosen unit's, doubles another's.
  const act_c::entry_points& unit = form == act_c::attention_form::decoding ? units() : units_for(of.q.type);
  return with_context(
      so_far, context, [&](const act::executor& on) { return unit.attend_workspace(form, of, on); },
      [&](const act_c::call_arguments& call) { return unit.attend(form, of, trackers, call); });
}

std::size_t attend_workspace(act_c::attention_form form, reading& so_far,
                             const act_c::attention_arguments& of, const act_executor* given) noexcept {
  act_executor executor = ACT_EXECUTOR_INIT;
  so_far.take(given, executor, executor_1, "executor");
  if (so_far.done != ACT_OK) return 0;
  const act_c::entry_points& unit = form == act_c::attention_form::decoding ? units() : units_for(of.q.type);
  return unit.attend_workspace(form, of, executor_of(executor));
}

/// `number` is one of the trackers'.
bool has(const act_trackers* trackers, std::size_t number, act_status& done) noexcept {
  if (trackers != nullptr && number < units().trackers_count(*trackers)) return true;
  done = refuse(ACT_INVALID_SHAPE, "number", "is past the trackers, or there are none");
  return false;
}

/// Answers what `call` does, which may run out of memory.
template <class Call>
act_status within_memory(Call&& call) noexcept {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error&) {
    return out_of_memory();
  }
}

template <class Call>
act_status on_tracker(const act_trackers* trackers, std::size_t number, Call&& call) noexcept {
  begin();
  act_status done = ACT_OK;
  if (!has(trackers, number, done)) return done;
  return within_memory([&] {
    act::problem refused{"type", "isn't an element type act has"};
    const act::status code = call(refused);
    return answer(code, refused);
  });
}

}  // namespace

extern "C" {

const char* act_status_message(act_status status) {
  switch (status) {
    case ACT_OK:
      return "ok";
    case ACT_INVALID_SHAPE:
      return "an extent or stride doesn't fit the others, or a pointer is null";
    case ACT_INVALID_OPTION:
      return "an option is outside its range, or contradicts another";
    case ACT_UNSUPPORTED:
      return "well-formed, but not a thing that this call or this library does";
    case ACT_WORKSPACE_TOO_SMALL:
      return "the workspace has fewer bytes than the size query asks for, or isn't aligned to 16";
    case ACT_OUT_OF_MEMORY:
      return "out of memory";
    case ACT_INVALID_INPUT:
      return "the bytes aren't a state that trackers with these options saved";
    default:
      return "not a status";
  }
}
const char* act_last_message(void) {
  return last_message.data();
}
const char* act_version(void) {
  return ACT_VERSION_STRING;
}
const char* act_instruction_set(void) {
  return units().name;
}
void act_set_thread_count(size_t count) {
  units().set_thread_count(count);
}

act_status act_heads_create(const size_t* heads, size_t count, act_heads** made) {
  begin();
  reading of;
  if (!of.needs(made, "made") || (count > 0 && !of.needs(heads, "heads"))) return of.done;
  return within_memory([&] {
    *made = new act_heads{act::layer_heads(std::vector<std::size_t>(heads, heads + count))};
    return act_status{ACT_OK};
  });
}
act_status act_heads_create_all(act_heads** made) {
  begin();
  reading of;
  if (!of.needs(made, "made")) return of.done;
  return within_memory([&] {
    *made = new act_heads{act::layer_heads::all()};
    return act_status{ACT_OK};
  });
}
void act_heads_destroy(act_heads* heads) {
  delete heads;
}

act_status act_calibrate(const act_map* map, const act_heads* heads, const act_options* options,
                         const act_context* context, double* carried_sums) {
  begin();
  reading so_far;
  act_c::map_arguments of{};
  so_far.take_map(map, heads, options, carried_sums, of);
  const act_c::entry_points& unit = units_for(of.map.type);
  return with_context(
      so_far, context, [&](const act::executor&) { return unit.calibrate_workspace(of); },
      [&](const act_c::call_arguments& call) { return unit.calibrate(of, call); });
}
size_t act_calibrate_workspace(const act_map* map, const act_heads* heads, const act_options* options) {
  begin();
  reading so_far;
  act_c::map_arguments of{};
  so_far.take_map(map, heads, options, nullptr, of);
  return so_far.done == ACT_OK ? units_for(of.map.type).calibrate_workspace(of) : 0;
}

act_status act_calibrated_attention(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                    const act_tensor* out, const act_heads* heads, const act_options* options,
                                    const act_attention* attention, const act_context* context,
                                    const act_tensor* plain, double* carried_sums) {
  begin();
  reading so_far;
  act_c::attention_arguments of{};
  so_far.take_attention(q, k, v, out, heads, options, attention, of);
  so_far.take(plain, of.plain, tensor_1, "plain");
  of.carried_sums = carried_sums;
  return attend(act_c::attention_form::calibrated, so_far, of, nullptr, context);
}
size_t act_calibrated_attention_workspace(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                          const act_tensor* out, const act_heads* heads,
                                          const act_options* options, const act_attention* attention,
                                          const act_executor* executor) {
  begin();
  reading so_far;
  act_c::attention_arguments of{};
  so_far.take_attention(q, k, v, out, heads, options, attention, of);
  return attend_workspace(act_c::attention_form::calibrated, so_far, of, executor);
}

act_status act_correct_output(const act_tensor* out, const void* log_sum_exp, const act_tensor* q,
                              const act_tensor* k, const act_tensor* v, const act_heads* heads,
                              const act_options* options, const act_attention* attention,
                              const act_context* context, const double* scores, double* carried_sums) {
  begin();
  reading so_far;
  act_c::attention_arguments of{};
  so_far.take_attention(q, k, v, out, heads, options, attention, of);
  of.log_sum_exp = log_sum_exp;
  of.scores = scores;
  of.carried_sums = carried_sums;
  return attend(act_c::attention_form::corrected, so_far, of, nullptr, context);
}
size_t act_correct_output_workspace(const act_tensor* out, const act_tensor* q, const act_tensor* k,
                                    const act_tensor* v, const act_heads* heads, const act_options* options,
                                    const act_attention* attention, const act_executor* executor) {
  begin();
  reading so_far;
  act_c::attention_arguments of{};
  so_far.take_attention(q, k, v, out, heads, options, attention, of);
  return attend_workspace(act_c::attention_form::corrected, so_far, of, executor);
}

act_status act_decoding_attention(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                  const act_tensor* out, const act_heads* heads, act_trackers* trackers,
                                  const act_attention* attention, const act_context* context) {
  begin();
  reading so_far;
  act_c::attention_arguments of{};
  so_far.take_attention(q, k, v, out, heads, nullptr, attention, of);
  // Without a workspace of the caller's the library takes memory as it needs it, the trackers' too.
  const bool takes_memory = context == nullptr || context->workspace == nullptr;
  if (so_far.done == ACT_OK && trackers != nullptr && takes_memory) {
    so_far.done = within_memory([&] {
      units().trackers_reserve(*trackers, of.k.tokens);
      return act_status{ACT_OK};
    });
  }
  return attend(act_c::attention_form::decoding, so_far, of, trackers, context);
}
size_t act_decoding_attention_workspace(const act_tensor* q, const act_tensor* k, const act_tensor* v,
                                        const act_tensor* out, const act_attention* attention,
                                        const act_executor* executor) {
  begin();
  reading so_far;
  act_c::attention_arguments of{};
  const act_heads nobody{};
  so_far.take_attention(q, k, v, out, &nobody, nullptr, attention, of);
  return attend_workspace(act_c::attention_form::decoding, so_far, of, executor);
}

act_status act_trackers_create(const act_options* options, size_t count, act_trackers** made) {
  begin();
  reading so_far;
  act_options of{};
  so_far.take_options(options, of);
  if (!so_far.needs(made, "made")) return so_far.done;
  return within_memory([&] {
    auto handle = std::make_unique<act_trackers>();
    act::problem refused;
    const act::status code = units().trackers_create(of, count, *handle, refused);
    if (code == act::status::ok) *made = handle.release();
    return answer(code, refused);
  });
}
act_status act_trackers_copy(const act_trackers* from, act_trackers** made) {
  begin();
  reading so_far;
  if (!so_far.needs(from, "from") || !so_far.needs(made, "made")) return so_far.done;
  return within_memory([&] {
    auto handle = std::make_unique<act_trackers>();
    units().trackers_copy(*from, *handle);
    *made = handle.release();
    return act_status{ACT_OK};
  });
}
void act_trackers_destroy(act_trackers* trackers) {
  if (trackers == nullptr) return;
  units().trackers_destroy(*trackers);
  delete trackers;
}
act_status act_trackers_reserve(act_trackers* trackers, size_t keys) {
  begin();
  reading so_far;
  if (!so_far.needs(trackers, "trackers")) return so_far.done;
  return within_memory([&] {
    units().trackers_reserve(*trackers, keys);
    return act_status{ACT_OK};
  });
}
act_status act_trackers_start(act_trackers* trackers, size_t number, const double* sums, size_t keys,
                              const act_visibility* visible, size_t batches, size_t batch, size_t queries) {
  begin();
  reading so_far;
  act_visibility of{};
  so_far.take_visibility(visible, of);
  if (keys > 0) so_far.needs(sums, "sums");
  if (so_far.done != ACT_OK) return so_far.done;
  return on_tracker(trackers, number, [&](act::problem& refused) {
    return units().trackers_start(*trackers, number, sums, keys, of, batches, batch, queries, refused);
  });
}
act_status act_trackers_calibrate_row(act_trackers* trackers, size_t number, act_type type, void* row,
                                      size_t keys, size_t seen_begin, double* moved_mass) {
  begin();
  reading of;
  if (!of.needs(row, "row")) return of.done;
  return on_tracker(trackers, number, [&](act::problem& refused) {
    return units().trackers_calibrate_row(*trackers, number, type, row, keys, seen_begin, moved_mass,
                                          refused);
  });
}
act_status act_trackers_retract(act_trackers* trackers, size_t number, act_type type, const void* row,
                                size_t keys, size_t seen_begin) {
  begin();
  reading of;
  if (!of.needs(row, "row")) return of.done;
  return on_tracker(trackers, number, [&](act::problem& refused) {
    return units().trackers_retract(*trackers, number, type, row, keys, seen_begin, refused);
  });
}
act_status act_trackers_evict(act_trackers* trackers, size_t number, size_t begin_slot, size_t end_slot) {
  return on_tracker(trackers, number, [&](act::problem& refused) {
    return units().trackers_evict(*trackers, number, begin_slot, end_slot, refused);
  });
}
size_t act_trackers_keys(const act_trackers* trackers, size_t number) {
  begin();
  act_status done = ACT_OK;
  return has(trackers, number, done) ? units().trackers_keys(*trackers, number) : 0;
}
size_t act_trackers_sinks(const act_trackers* trackers, size_t number, size_t* positions, size_t room) {
  begin();
  act_status done = ACT_OK;
  return has(trackers, number, done) ? units().trackers_sinks(*trackers, number, positions, room) : 0;
}
double act_trackers_score(const act_trackers* trackers, size_t number, size_t slot) {
  begin();
  act_status done = ACT_OK;
  return has(trackers, number, done) ? units().trackers_score(*trackers, number, slot) : 0;
}
size_t act_trackers_save(const act_trackers* trackers, size_t number, void* bytes, size_t room) {
  begin();
  act_status done = ACT_OK;
  if (!has(trackers, number, done)) return 0;
  std::size_t size = 0;
  static_cast<void>(within_memory([&] {
    size = units().trackers_save(*trackers, number, bytes, room);
    return act_status{ACT_OK};
  }));
  return size;
}
act_status act_trackers_load(act_trackers* trackers, size_t number, const void* bytes, size_t count) {
  begin();
  act_status done = ACT_OK;
  reading of;
  if (!has(trackers, number, done)) return done;
  if (!of.needs(bytes, "bytes")) return of.done;
  return within_memory([&] {
    if (units().trackers_load(*trackers, number, bytes, count)) return act_status{ACT_OK};
    return refuse(ACT_INVALID_INPUT, "bytes", "aren't a state that trackers with these options saved");
  });
}

}  // extern "C"
