#include "programs/nearest_name.hpp"

#include <act/io/nearest_name.hpp>

#include <algorithm>
#include <utility>

namespace act_program {

namespace {

// What others' programs call it.
constexpr std::pair<std::string_view, std::string_view> elsewhere[] = {
    {"-m", "--model"},
    {"-p", "--prompt"},
    {"-f", "--prompt-file"},
    {"-f", "--data"},
    {"-n", "--max-new-tokens"},
    {"-t", "--threads"},
    {"-c", "--context"},
    {"-s", "--seed"},
    {"-h", "--help"},
    {"-o", "--out"},
    {"-o", "--json"},
    {"-sys", "--system"},
    {"-cnv", "--chat"},
    {"-r", "--stop"},
    {"--n-predict", "--max-new-tokens"},
    {"--predict", "--max-new-tokens"},
    {"--max-tokens", "--max-new-tokens"},
    {"--max-gen-toks", "--max-new-tokens"},
    {"--ctx-size", "--context"},
    {"--file", "--prompt-file"},
    {"--conversation", "--chat"},
    {"--reverse-prompt", "--stop"},
    {"--temp", "--temperature"},
    {"--num-fewshot", "--shots"},
    {"--fewshot", "--shots"},
    {"--output-path", "--json"},
    {"--output", "--json"},
    {"--log-samples", "--predictions"},
    {"--write-out", "--show-prompts"},
    {"--tasks", "--task"},
    {"--dtype", "--compute"},
    {"--max-length", "--context"},
    {"--chunks", "--max-windows"},
    {"--tasks-list", "--list-tasks"},
    {"--silent", "--quiet"},
};

}  // namespace

std::string nearest_option(std::string_view given, std::span<const std::string> known) {
  std::string name(given.substr(0, 64));
  std::replace(name.begin(), name.end(), '_', '-');
  const auto is_known = [&](std::string_view option) {
    return std::find(known.begin(), known.end(), option) != known.end();
  };
  for (const auto& [theirs, ours] : elsewhere) {
    if (name == theirs && is_known(ours)) return std::string(ours);
  }
  // -task for --task.
  const std::string dashed = name.starts_with("--") ? name : "-" + name;
  return act::io::nearest_name(dashed, known);
}

}  // namespace act_program
