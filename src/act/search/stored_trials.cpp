#include <act/error.hpp>
#include <act/search/state_identity.hpp>
#include <act/search/stored_trials.hpp>
#include <act/sqlite/database.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::search {

namespace {

// The lines of an identity (plan.hpp): what every sample's scores depend on, and each sample.
struct identity_lines {
  std::vector<std::string_view> common;
  std::vector<std::string_view> samples;  // from their label on: not where in which file they stand
  std::string_view strengths_line;
  std::vector<std::string_view> strengths;  // as they are written

  // What trials are run, in which order, and from which files: no trial's scores depend on it.
  static bool of_the_search_alone(std::string_view line) {
    return line.starts_with("task ") || line.starts_with("layers ") || line.starts_with("strategy ") ||
           line.starts_with("tokens run together ");
  }

  // "beta 0.4" or "betas 0 0.4", and the same of factors; which of the two says what heads are tried with
  // depends on the redistribution, so both searches have the same.
  void read_strengths(std::string_view line) {
    strengths_line = line;
    std::size_t at = line.find(' ');
    while (at < line.size()) {
      const std::size_t end = std::min(line.find(' ', at + 1), line.size());
      strengths.push_back(line.substr(at + 1, end - at - 1));
      at = end;
    }
  }

  explicit identity_lines(std::string_view identity) {
    const bool renormalised = identity.find("\nredistribution renormalised") != std::string_view::npos;
    const std::string_view kind = renormalised ? "factor" : "beta";
    while (!identity.empty()) {
      const std::size_t end = std::min(identity.find('\n'), identity.size());
      const std::string_view line = identity.substr(0, end);
      identity.remove_prefix(std::min(end + 1, identity.size()));
      if (line.starts_with("sample ")) {
        samples.push_back(line.substr(std::min(line.find(" label "), line.size())));
      } else if (line.starts_with(kind)) {
        read_strengths(line);
      } else if (!of_the_search_alone(line)) {
        common.push_back(line);
      }
    }
  }
};

std::string existing(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw error(error_code::io, path, "isn't there; give the state file of a search");
  return path;
}

}  // namespace

stored_trials::stored_trials(const std::string& path, const search_plan& plan)
    : path_(path), data_(existing(path), "a search state") {
  const std::string theirs = identity_in(data_, path, "give the state file of a search").value_or("");
  const std::string own = plan.identity();
  const identity_lines known(theirs), wanted(own);
  const auto refuse = [&](const std::string& theirs_is, const std::string& ours_is) {
    throw error(error_code::mismatch, path,
                "holds another kind of trials (it has " + theirs_is + ", this search " + ours_is +
                    "); their scores aren't this search's");
  };
  const auto [there, here] =
      std::mismatch(known.common.begin(), known.common.end(), wanted.common.begin(), wanted.common.end());
  if (there != known.common.end() || here != wanted.common.end()) {
    const auto shown = [](const auto& line, const auto& end) {
      return line == end ? std::string("nothing") : "'" + std::string(line->substr(0, 60)) + "'";
    };
    refuse(shown(there, known.common.end()), shown(here, wanted.common.end()));
  }
  if (wanted.strengths.size() != plan.strength_count())
    throw error(error_code::unsupported, path,
                "can't be told which of its trials are this search's; leave it out");
  for (const std::string_view strength : wanted.strengths) {
    const auto found = std::find(known.strengths.begin(), known.strengths.end(), strength);
    strength_of_.push_back(found == known.strengths.end() ? -1 : found - known.strengths.begin());
  }
  if (std::all_of(strength_of_.begin(), strength_of_.end(), [](std::int64_t at) { return at < 0; })) {
    refuse("'" + std::string(known.strengths_line.substr(0, 60)) + "'",
           "'" + std::string(wanted.strengths_line.substr(0, 60)) + "'");
  }
  std::map<std::string_view, std::int64_t> places;
  for (std::size_t i = 0; i < known.samples.size(); ++i)
    places.try_emplace(known.samples[i], static_cast<std::int64_t>(i));
  for (const std::string_view sample : wanted.samples) {
    const auto found = places.find(sample);
    place_of_.push_back(found == places.end() ? -1 : found->second);
  }
  for (const tasks::prepared_sample& sample : plan.samples)
    score_counts_.push_back(sample.score_count());
}

std::optional<block_result> stored_trials::find(const trial_block& block) {
  block_result found;
  const bool plain = block.kind == block_kind::plain;
  // Their work says which trials a search runs, and is its own.
  if (block.kind == block_kind::estimates) return std::nullopt;
  if (!plain && strength_of_[block.strength] < 0) return std::nullopt;
  sqlite::statement row(data_, plain ? "SELECT scores FROM plain WHERE sample = ?"
                                     : "SELECT scores, has_sinks, head, initial_mass FROM trial"
                                       " WHERE sample = ? AND layer = ? AND strength = ? ORDER BY head");
  for (std::size_t sample = block.chunk.begin; sample < block.chunk.end; ++sample) {
    if (place_of_[sample] < 0) return std::nullopt;
    row.rewind();
    row.bind(1, place_of_[sample]);
    if (!plain) row.bind(2, static_cast<std::int64_t>(block.layer)).bind(3, strength_of_[block.strength]);
    std::size_t next = 0;  // of the block's heads
    if (plain) {
      if (!row.step()) return std::nullopt;
      found.scores.push_back(scores_in(row, sample));
      continue;
    }
    while (next < block.heads.size() && row.step()) {
      if (row.integer(2) != static_cast<std::int64_t>(block.heads[next])) continue;
      found.has_sinks.push_back(row.integer(1) != 0 ? 1 : 0);
      found.scores.push_back(scores_in(row, sample));
      found.initial_mass.push_back(row.real(3));
      if (!is_mass(found.initial_mass.back())) damaged();
      ++next;
      ++found.work.trials;
      found.work.trials_without_sinks += found.has_sinks.back() == 0 ? 1 : 0;
    }
    if (next < block.heads.size()) return std::nullopt;
  }
  return found;
}

std::vector<double> stored_trials::scores_in(const sqlite::statement& row, std::size_t sample) const {
  const std::span<const std::byte> bytes = row.blob(0);
  std::vector<double> values(score_counts_[sample]);
  const bool fits = bytes.size() == values.size() * sizeof(double);
  if (fits) std::memcpy(values.data(), bytes.data(), bytes.size());
  if (!fits ||
      !std::all_of(values.begin(), values.end(), [](double score) { return std::isfinite(score); })) {
    damaged();
  }
  return values;
}

void stored_trials::damaged() const {
  throw error(error_code::invalid_input, path_,
              "doesn't hold the trials that it says it holds; leave it out");
}

}  // namespace act::search
