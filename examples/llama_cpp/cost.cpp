// act-llama-cost: what calibrating heads costs a prompt in llama.cpp. Three contexts of one model in turn, so
// that a busy machine bothers all alike: plain; with a callback that makes llama.cpp stop at the same maps
// and does nothing, which is what splitting the graph costs; with the hook.
#include <act/error.hpp>
#include <act/parallel.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "llama_cpp/chosen_heads.hpp"
#include "llama_cpp/hook/attention_hook.hpp"
#include "llama_cpp/session.hpp"
#include "programs/command_line.hpp"
#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace {

using namespace act_program;

// Stops where the hook does.
struct idle_callback {
  std::vector<std::string> nodes;

  static bool evaluate(ggml_tensor* node, bool ask, void* data) {
    const std::vector<std::string>& nodes = static_cast<const idle_callback*>(data)->nodes;
    return !ask || std::find(nodes.begin(), nodes.end(), std::string_view(node->name)) != nodes.end();
  }
};

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

struct options_of_cost {
  common_options common;  // not declared
  calibration_flags calibration;
  std::string model, heads;
  std::size_t threads = 0, rounds = 9;
  bool processor_time = false;
};

double milliseconds(bool processor_time) {
  if (processor_time) return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

void run(const options_of_cost& options) {
  act::set_thread_count(options.threads);
  const act_llama::loaded_model model(options.model);
  const std::vector<act_llama::layer_choice> heads =
      act_llama::read_heads(options.heads, options.calibration, model);
  act_llama::attention_hook hook(heads);
  idle_callback idle;
  for (const act_llama::layer_choice& each : heads)
    idle.nodes.push_back("kq_soft_max-" + std::to_string(each.layer));
  std::printf(
      "%zu heads; medians of %zu rounds, ms\n\n| tokens | plain | split graph | calibrated | split graph "
      "costs | calibrating costs beyond that |\n|---|---|---|---|---|---|\n",
      heads.size(), options.rounds);
  for (const std::size_t count : {std::size_t{256}, std::size_t{1024}}) {
    act_llama::session_settings settings;
    settings.tokens = count + 16;
    settings.threads = options.threads;
    std::vector<llama_token> prompt(count);
    for (std::size_t k = 0; k < count; ++k)
      prompt[k] = static_cast<llama_token>(100 + k * 7919 % 20000);
    act_llama::session plain(model, settings);
    settings.callback = idle_callback::evaluate;
    settings.callback_data = &idle;
    act_llama::session split(model, settings);
    settings.callback = act_llama::attention_hook::evaluate;
    settings.callback_data = &hook;
    act_llama::session calibrated(model, settings);

    std::vector<double> times[3], beyond;
    for (std::size_t round = 0; round <= options.rounds; ++round) {
      double took[3];
      for (std::size_t k = 0; k < 3; ++k) {
        act_llama::session& each = k == 0 ? plain : k == 1 ? split : calibrated;
        each.clear();
        const double begin = milliseconds(options.processor_time);
        (void)each.decode(prompt);
        took[k] = milliseconds(options.processor_time) - begin;
      }
      hook.check();
      if (round == 0) continue;  // warm-up
      for (std::size_t k = 0; k < 3; ++k)
        times[k].push_back(took[k]);
      beyond.push_back(took[2] / took[1]);
    }
    const double a = median(times[0]), b = median(times[1]), c = median(times[2]);
    std::printf("| %zu | %.1f | %.1f | %.1f | %+.1f %% | %+.1f %% (of single rounds: %+.1f %%) |\n", count, a,
                b, c, 100 * (b / a - 1), 100 * (c / b - 1), 100 * (median(beyond) - 1));
  }
}

}  // namespace

int main(int count, char** arguments) {
  command_line line("What calibrating heads costs a prompt in llama.cpp.", "act-llama-cost");
  options_of_cost options;
  line.add("--model", options.model, "A GGUF file").required().value_name("FILE");
  line.add("--heads", options.heads, "The heads to calibrate").required().value_name("FILE");
  line.add("--threads", options.threads, "Threads to use; 0: llama.cpp's default")
      .value_name("N")
      .within(0, 512)
      .show_default();
  line.add("--rounds", options.rounds, "How often each is measured").value_name("N").show_default();
  line.add_flag("--processor-time", options.processor_time,
                "Of all threads together, instead of elapsed time: on a busy machine, with one thread");
  options.calibration.add_to(line);
  return run_program(line, options.common, count, arguments, [&] { run(options); });
}
