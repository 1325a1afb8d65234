#include "llama_cpp/python/act_llama.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

#include "llama_cpp/hook/attention_hook.hpp"

struct act_llama_hook {
  act_llama::attention_hook hook;
};

namespace {

void say(std::string_view what, char* error, std::size_t room) {
  if (room == 0) return;
  const std::size_t length = std::min(what.size(), room - 1);
  std::memcpy(error, what.data(), length);
  error[length] = '\0';
}

// What `work` returns, or `failed` with the reason said.
template <class Work, class Result>
Result without_exceptions(Work&& work, Result failed, char* error, std::size_t room) noexcept {
  try {
    return work();
  } catch (const std::exception& problem) {
    say(problem.what(), error, room);
  } catch (...) {
    say("unknown failure", error, room);
  }
  return failed;
}

act_llama::layer_choice choice_of(const act_llama_head& head) {
  act::calibration_options options;
  options.sinks.rule = static_cast<act::sink_rule>(head.rule);
  options.sinks.alpha = head.alpha;
  options.sinks.tau = head.tau;
  options.sinks.min_visible_rows = head.min_visible_rows;
  options.beta = head.beta;
  if (head.renormalises != 0) {
    options.redistribute = act::redistribution::renormalised;
    options.factor = head.factor;
  }
  return {head.layer, {head.head, options}};
}

}  // namespace

act_llama_hook* act_llama_new(const act_llama_head* heads, size_t count, char* error, size_t room) {
  return without_exceptions(
      [&] {
        std::vector<act_llama::layer_choice> choices;
        for (std::size_t k = 0; k < count; ++k)
          choices.push_back(choice_of(heads[k]));
        return new act_llama_hook{act_llama::attention_hook(choices)};
      },
      static_cast<act_llama_hook*>(nullptr), error, room);
}

void act_llama_delete(act_llama_hook* hook) {
  delete hook;
}

bool act_llama_evaluate(ggml_tensor* node, bool ask, void* hook) {
  return act_llama::attention_hook::evaluate(node, ask, &static_cast<act_llama_hook*>(hook)->hook);
}

int act_llama_check(act_llama_hook* hook, char* error, size_t room) {
  return without_exceptions(
      [&] {
        hook->hook.check();
        return 0;
      },
      1, error, room);
}

void act_llama_forget(act_llama_hook* hook) {
  hook->hook.forget();
}

size_t act_llama_sinks(const act_llama_hook* hook, size_t* numbers, size_t room) {
  return without_exceptions(
      [&] {
        std::vector<std::size_t> all;
        for (const act_llama::sinks_of_head& each : hook->hook.sinks()) {
          all.insert(all.end(), {each.stream, each.sequence, each.layer, each.head, each.tokens.size()});
          all.insert(all.end(), each.tokens.begin(), each.tokens.end());
        }
        if (all.size() <= room) std::copy(all.begin(), all.end(), numbers);
        return all.size();
      },
      std::size_t{0}, nullptr, 0);
}

size_t act_llama_joined(const act_llama_hook* hook) {
  return hook->hook.joined();
}
size_t act_llama_taken_back(const act_llama_hook* hook) {
  return hook->hook.taken_back();
}
