// act-serve: a model behind OpenAI's API, plain and with heads calibrated, by the model's name.
#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/heads_file.hpp>
#include <act/serve/served_models.hpp>
#include <act/serve/service.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "programs/begin.hpp"
#include "programs/chat.hpp"
#include "programs/command_line.hpp"
#include "programs/generation_heads.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "serve/http_door.hpp"
#include "serve/options.hpp"

namespace {

using namespace act_program;

constexpr std::chrono::milliseconds to_finish{5000};  // for what is worked on when the program is stopped

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(seconds * 1000) + 1);
}

act::serve::served_chat chat_of(const command_line& line, const act::runtime::loaded_model& loaded,
                                const serve_options& options) {
  act::serve::served_chat served;
  try {
    // Clients needn't know where the file is.
    const auto format = std::make_shared<const chat>(*loaded.tokenizer, options.common.model,
                                                     options.chat_template, served_name(options));
    served.write = [format](std::span<const act::runtime::chat_turn> turns) { return format->prompt(turns); };
    if (format->end()) served.ends.push_back(*format->end());
  } catch (const act::error& without) {
    // A model without a template completes texts; one that was asked for has to be there.
    if (!options.chat_template.empty()) throw;
    served.missing =
        "carries no chat template that act-serve can run; it has to be started with --chat-template";
    if (!options.common.quiet)
      std::fprintf(stderr, "%s: note: no chats: %s\n", line.name().c_str(), without.what());
  }
  return served;
}

void run(const command_line& line, const serve_options& options) {
  check_usage(options);
  act::set_thread_count(options.common.threads);
  const std::vector<named_heads> named = served_heads(options);
  std::vector<std::optional<act::search::heads_file>> files;
  for (const named_heads& each : named) {
    files.emplace_back(act::search::read_heads_file(each.path));
    (void)calibrated_by(options.calibration, each.path, files.back());
  }
  if (named.empty()) (void)calibrated_by(options.calibration, {}, {});

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  act::serve::served_models models(loaded.model, *loaded.tokenizer, chat_of(line, loaded, options));
  models.add(served_name(options), {});
  for (std::size_t i = 0; i < named.size(); ++i) {
    models.add(
        named[i].name,
        calibration_for(loaded.model, options.calibration, named[i].path, files[i],
                        {.program = line.name(), .force = options.force, .quiet = options.common.quiet}));
  }
  std::string names;
  for (const act::serve::served_model& each : models.all())
    names += (names.empty() ? "" : ", ") + each.name;

  act::serve::service service(std::move(models),
                              {.limits = {.prompts = options.max_prompts, .new_tokens = options.max_tokens},
                               .workers = options.parallel,
                               .waiting = options.queue,
                               .time_limit = milliseconds_of(options.timeout)});
  http_door door(service, {.connections = options.connections,
                           .body_bytes = options.max_body,
                           .client_time = milliseconds_of(options.client_timeout),
                           .quiet = options.common.quiet});
  const int port = options.port != 0 ? (door.bind_to_port(options.host, static_cast<int>(options.port))
                                            ? static_cast<int>(options.port)
                                            : -1)
                                     : door.bind_to_any_port(options.host);
  if (port < 0) {
    throw act::error(act::error_code::io, options.host + ":" + std::to_string(options.port),
                     "can't be listened at; is the port taken, or the address another machine's? --port 0 "
                     "takes a free one");
  }
  std::printf("act-serve: http://%s:%d serves %s\n", options.host.c_str(), port, names.c_str());
  stop_if_not_printed();

  std::atomic<bool> ended{false};
  std::thread stopping([&] {
    while (!ended) {
      try {
        stop_if_interrupted();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      } catch (const interrupted&) {
        // The library forgets to stop what hasn't begun.
        while (!door.is_running() && !ended)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        door.close();
        service.close(to_finish);
        return;
      }
    }
  });
  const bool stopped = door.listen_after_bind();
  ended = true;
  stopping.join();
  if (!stopped) throw act::error(act::error_code::io, "listening", "ended; the system refused a connection");
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  command_line line("A model behind OpenAI's API, plain and with heads calibrated, by the model's name.",
                    "act-serve");
  serve_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
