// act-serve's command line: which model under which names, where it listens, and its limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "programs/flags.hpp"
#include "programs/program.hpp"

namespace act_program {

class command_line;

struct serve_options {
  common_options common;
  calibration_flags calibration;
  std::string name;
  std::vector<std::string> heads;  ///< FILE, or NAME=FILE
  bool force = false;
  std::string chat_template;
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;
  std::size_t parallel = 1;
  std::size_t queue = 32;
  std::size_t connections = 64;
  std::size_t max_tokens = 4096;
  std::size_t max_prompts = 128;
  std::size_t max_body = std::size_t{1} << 20;
  double timeout = 300;
  double client_timeout = 30;
};

void declare(command_line& line, serve_options& options);

/// Throws act::error (invalid_option) for times that can't be.
void check_usage(const serve_options& options);

/// A name that heads are served by, and their file.
struct named_heads {
  std::string name;  ///< MODEL@NAME
  std::string path;
};

/// The name of the plain model: --name, else the file's or folder's.
[[nodiscard]] std::string served_name(const serve_options& options);

/// Each --heads: "act" where it has no name.
[[nodiscard]] std::vector<named_heads> served_heads(const serve_options& options);

}  // namespace act_program
