#include "serve/options.hpp"

#include <act/error.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/tasks/mt_bench.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "programs/command_line.hpp"

namespace act_program {

void declare(command_line& line, serve_options& options) {
  options.common.add_model_to(line);
  options.common.add_threads_to(line);
  line.add_flag("--quiet", options.common.quiet, "No remarks, and no line for each request on stderr");
  line.add("--name", options.name, "What clients call the plain model (default: the file's name)")
      .value_name("NAME");
  line.add("--heads", options.heads,
           "Serve these calibrated heads too, as model NAME@act, or as NAME@OWN with OWN=FILE; may be "
           "repeated")
      .value_name("[OWN=]FILE")
      .one_value_each_time();
  line.add_flag("--force", options.force, "Use heads that were found for another checkpoint");
  line.add("--chat-template", options.chat_template,
           "Chat in this format instead of the model's own: " + act::runtime::known_chat_templates())
      .value_name("NAME");
  line.add("--host", options.host,
           "The address to listen at; another than the default lets other machines in, without a password")
      .value_name("ADDRESS")
      .show_default();
  line.add("--port", options.port, "The port; 0: a free one, which is printed")
      .value_name("N")
      .within(0, 65535)
      .show_default();
  const std::string limits = "Limits";
  line.add("--parallel", options.parallel, "Requests that are worked on at once, on the same threads")
      .value_name("N")
      .within(1, 256)
      .show_default()
      .group(limits);
  line.add("--queue", options.queue, "Requests that wait; one more is refused (503)")
      .value_name("N")
      .within(0, 4096)
      .show_default()
      .group(limits);
  line.add("--connections", options.connections, "Clients that are listened to; one more is refused (503)")
      .value_name("N")
      .within(1, 512)
      .show_default()
      .group(limits);
  line.add("--max-tokens", options.max_tokens, "The most that a request may ask to be made")
      .value_name("N")
      .within(1, any_count)
      .show_default()
      .group(limits);
  line.add("--max-prompts", options.max_prompts, "Prompts in one request")
      .value_name("N")
      .within(1, any_count)
      .show_default()
      .group(limits);
  line.add("--max-body", options.max_body, "Bytes of a request's body; a longer one is refused (413)")
      .value_name("N")
      .within(1, any_count)
      .show_default()
      .group(limits);
  line.add(
          "--timeout", options.timeout,
          "Of a request, from its last byte to the answer's, waiting included; a longer one is refused (503)")
      .value_name("SECONDS")
      .show_default()
      .group(limits);
  line.add("--client-timeout", options.client_timeout,
           "What a client may take to send a request, and again to take the answer in")
      .value_name("SECONDS")
      .show_default()
      .group(limits);
  options.calibration.add_to(line);
  line.footer(
      "Examples:\n"
      "  act-serve --model M.gguf\n"
      "  act-serve --model M.gguf --name smollm2 --heads heads.json --port 0\n"
      "  act-serve --model M.gguf --heads paper=paper.json --heads top=top.json --port 8081 --queue 8\n"
      "Then, for one: curl -H 'Content-Type: application/json' http://127.0.0.1:8080/v1/completions \\\n"
      "    -d '{\"model\": \"smollm2@act\", \"prompt\": \"Once upon a time\", \"max_tokens\": 20}'\n"
      "GET /v1/models, POST /v1/completions, POST /v1/chat/completions, GET /health and others "
      "(docs/serve.md).\n"
      "Exit codes: 0 stopped by SIGINT or SIGTERM, 1 bad input, 2 wrong usage.");
}

void check_usage(const serve_options& options) {
  constexpr double longest = 1e7;
  const auto check = [](const char* option, double seconds) {
    if (!(seconds > 0 && seconds <= longest))
      throw act::error(act::error_code::invalid_option, option, "must be above 0 and at most 1e7 seconds");
  };
  check("--timeout", options.timeout);
  check("--client-timeout", options.client_timeout);
  const std::string name = served_name(options);
  if (name.find('@') != std::string::npos) {
    throw act::error(act::error_code::invalid_option, "--name",
                     "'" + name.substr(0, 60) +
                         "' has the sign that stands between a model's name and its heads'; "
                         "give another");
  }
  for (const std::string& given : options.heads) {
    if (given.starts_with('='))
      throw act::error(act::error_code::invalid_option, "--heads",
                       "'" + given.substr(0, 60) + "' has no name before =");
  }
  if (!options.chat_template.empty()) (void)act::runtime::find_chat_template(options.chat_template);
}

std::string served_name(const serve_options& options) {
  return options.name.empty() ? act::tasks::mt_bench_model_id(options.common.model) : options.name;
}

std::vector<named_heads> served_heads(const serve_options& options) {
  std::vector<named_heads> heads;
  for (const std::string& given : options.heads) {
    const std::size_t sign = given.find('=');
    // A path may have such a sign too, a name has no slash.
    const bool named = sign != std::string::npos && given.find('/') > sign;
    heads.push_back({served_name(options) + "@" + (named ? given.substr(0, sign) : "act"),
                     named ? given.substr(sign + 1) : given});
  }
  return heads;
}

}  // namespace act_program
