#include "search/suggestion.hpp"

#include <filesystem>
#include <string_view>

#include "programs/command_line.hpp"
#include "search/options.hpp"

namespace act_program {

namespace {

// For a shell: in single quotes unless every character is harmless.
std::string quoted(const std::string& argument) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!argument.empty() && argument.find_first_not_of(harmless) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument)
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string full_range_command(const command_line& line, const search_options& options) {
  std::string command = "act-search";
  for (const given_option& option : line.given()) {
    if (option.name == "layers" || option.name == "out" || option.name == "state" || option.name == "json")
      continue;
    if (option.flag) command += " --" + option.name;
    for (const std::string& value : option.values)
      command += " --" + option.name + " " + quoted(value);
  }
  const std::filesystem::path out(options.out);
  const std::string beside = (out.parent_path() / (out.stem().string() + "-all-layers")).string();
  return command + " --state " + quoted(beside + ".state") + " --out " + quoted(beside + ".json");
}

}  // namespace act_program
