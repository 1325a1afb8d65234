// What a head search will do, decided before it starts: samples, layers, calibration, and how samples are
// grouped.
#pragma once

#include <act/options.hpp>
#include <act/search/layer_range.hpp>
#include <act/search/sample_chunk.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompt_part.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::search {

/// One data file's part of the held-out set.
struct search_source {
  std::string task;
  std::string file;                      ///< as the user gave it
  std::string sha256;                    ///< of the file's bytes
  std::string scoring = "labels";        ///< what was compared: labels, letters, greedy or likelihood
  std::string special_tokens = "text";   ///< what those written out in its samples are: text or tokens
  std::optional<bool> final_space = {};  ///< classification: whether prompts end with the layout's last space
  std::vector<std::size_t> indices;      ///< positions among the file's samples, ascending
};

struct search_plan {
  std::vector<search_source> sources;
  std::vector<tasks::prepared_sample> samples;  ///< of all sources, in the order they are run
  std::vector<std::size_t>
      source_of;  ///< of each sample, its number in `sources`; empty: all are the first's
  layer_range range;
  calibration_options options;
  /// Betas that each head is tried with, or factors where rows are renormalised; ascending, none twice and
  /// none 1, which changes nothing. Empty: one, the options'.
  std::vector<double> strengths = {};
  std::optional<tasks::prompt_part> subset = {};  ///< which part redistribution::subset gives to, or a span
                                                  ///< is; for the record: the samples hold its positions
  bool masks = false;                             ///< a trial masks its head instead
  std::string fingerprint;                        ///< of the model
  std::string compute = {};                       ///< of its products (model_identity); empty: float32
  std::size_t tokens_per_chunk = 1024;            ///< what samples that share a plain pass have together
  std::string strategy = {};                      ///< which blocks are run, where not all; for `identity`

  bool estimates = false;  ///< every trial is estimated as well (ranked_search.hpp)

  /// Puts the samples in a random order: however far a search has come, it has seen a fair part of every
  /// source, and of a file that is sorted by label. The same seed and samples give the same order.
  void shuffle(std::uint64_t seed);

  /// Moves those samples to the front that are marked, one mark a sample; among themselves and the others in
  /// the order they were in.
  void put_first(const std::vector<bool>& marked);

  /// How many strengths a head is tried with, at least 1.
  [[nodiscard]] std::size_t strength_count() const noexcept {
    return strengths.empty() ? 1 : strengths.size();
  }

  [[nodiscard]] std::size_t source(std::size_t sample) const noexcept {
    return source_of.empty() ? 0 : source_of[sample];
  }

  /// Groups of samples that share a plain pass: at most `tokens_per_chunk` tokens each, or one sample, so
  /// that memory doesn't grow with the number of samples. Fixed by the plan alone: a resumed search stacks
  /// the same rows into the same products.
  [[nodiscard]] std::vector<sample_chunk> chunks() const;

  /// Everything that the scores depend on, a line each.
  [[nodiscard]] std::string identity() const;

 private:
  void reorder(std::span<const std::size_t> order);
};

}  // namespace act::search
