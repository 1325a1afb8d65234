#include "programs/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

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

// Letters to insert, leave out, replace, or exchange with the next.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

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
  std::string best;
  // What it begins: --strat.
  for (const std::string& option : known) {
    if (dashed.size() >= 5 && option.starts_with(dashed) && (best.empty() || option.size() < best.size()))
      best = option;
  }
  if (!best.empty()) return best;
  std::size_t fewest = 0;
  for (const std::string& option : known) {
    // A third of the letters may differ.
    const std::size_t many = edits(dashed, option);
    if (3 * many <= option.size() && (best.empty() || many < fewest)) {
      best = option;
      fewest = many;
    }
  }
  return best;
}

}  // namespace act_program
