#include "programs/files.hpp"

#include <unistd.h>

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/checkpoint/gguf_split.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace act_program {

void check_outputs(const std::vector<std::pair<std::string, std::string>>& outputs,
                   const std::vector<std::string>& inputs) {
  namespace fs = std::filesystem;
  // Any file of a split model is one that is read.
  const auto unnumbered = act::runtime::without_split_number;
  const auto same = [](const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::weakly_canonical(a, ignored) == fs::weakly_canonical(b, ignored) ||
           fs::equivalent(a, b, ignored);
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& [option, path] = outputs[i];
    if (path.empty()) continue;
    if (path == "-") {
      throw act::error(act::error_code::invalid_option, option,
                       "is a file here ('-' is for --json alone); name one, or /dev/stdout");
    }
    std::error_code ignored;
    const act::io::write_target to = act::io::write_target_of(path);
    if (to.in_place && !fs::is_directory(path, ignored)) continue;  // a pipe or a device
    for (const std::string& input : inputs) {
      if (!input.empty() && (same(path, input) || same(unnumbered(path), unnumbered(input)))) {
        throw act::error(act::error_code::invalid_option, option,
                         "would overwrite '" + input + "', which is read");
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!outputs[j].second.empty() && same(path, outputs[j].second)) {
        throw act::error(act::error_code::invalid_option, option,
                         "and " + outputs[j].first + " name the same file");
      }
    }
    const fs::path folder = fs::absolute(to.path, ignored).parent_path();
    if (fs::is_directory(path, ignored) || ::access(folder.c_str(), W_OK) != 0) {
      throw act::error(act::error_code::io, path, "can't be written (" + option + "); check the folder");
    }
  }
}

void make_folder(const std::string& path, const std::string& option) {
  if (path.empty()) return;
  std::error_code problem;
  std::filesystem::create_directories(path, problem);
  if (problem || !std::filesystem::is_directory(path)) {
    throw act::error(act::error_code::io, path,
                     "can't be a folder for " + option + (problem ? ": " + problem.message() : ""));
  }
}

std::string partial_path(const std::string& path) {
  if (path.empty() || act::io::write_target_of(path).in_place) return path;
  return path + ".partial";
}

namespace {

void check_utf8(const act::io::text_file& file) {
  if (const std::size_t at = act::io::find_invalid_utf8(file.text); at != std::string_view::npos) {
    throw act::error(act::error_code::invalid_input, file.name,
                     "isn't UTF-8 at byte " + std::to_string(at) +
                         "; convert it, for example with iconv -f latin1 -t utf-8");
  }
}

}  // namespace

act::io::text_file read_utf8_file(const std::string& path) {
  act::io::text_file file = act::io::read_text_file(path);
  check_utf8(file);
  return file;
}

act::io::text_file read_prompt_file(const std::string& path) {
  if (path != "-") return read_utf8_file(path);
  const act::io::text_file file{"standard input", act::io::read_text_file("/dev/stdin").text};
  check_utf8(file);
  return file;
}

}  // namespace act_program
