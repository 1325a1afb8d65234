// A key/value cache as an engine keeps it: cells that several sequences' tokens lie in, in any order, and the
// masks of its maps. With the oracle's memory of what every token got, in double precision, kept by sequence
// and token instead of by cell. Shares nothing with what it tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace act_test {

class played_cache {
 public:
  struct token {
    std::size_t cell = 0;
    double sum = 0;        // of what rows gave it, raw
    std::size_t rows = 0;  // that saw it
    bool attracts = false;
  };
  struct row {
    int sequence = 0;
    std::size_t token = 0, first = 0;
    bool padding = false;
  };
  struct map {
    std::size_t cells = 0;
    std::vector<row> rows;
    std::vector<float> mask;     // rows x cells
    std::vector<float> weights;  // rows x cells; NaN where masked
    std::vector<double> expected;
    std::map<int, std::vector<std::size_t>> sinks;  // of each sequence in it
  };

  played_cache(unsigned seed, std::size_t cells, std::size_t window, bool lowest_first)
      : random_(seed), owners_(cells, 0), window_(window), lowest_first_(lowest_first) {}

  std::map<int, std::vector<token>> sequences;
  double alpha = 5, beta = 0.4;
  bool gives_passed_away = true;  ///< cells that the window has passed; tokens can't be taken back then

  std::mt19937& random() { return random_; }

  /// Tokens of these sequences, in this order, one row each; -1: a row of padding.
  map decode(const std::vector<int>& batch) {
    map made;
    std::vector<std::size_t> owned;
    for (const int sequence : batch) {
      row each;
      each.sequence = sequence;
      each.padding = sequence < 0;
      if (!each.padding) {
        std::vector<token>& tokens = sequences[sequence];
        token added;
        added.cell = take();
        added.attracts = random_() % 12 == 0;
        each.token = tokens.size();
        each.first = window_ != 0 && each.token + 1 > window_ ? each.token + 1 - window_ : 0;
        tokens.push_back(added);
      }
      made.rows.push_back(each);
    }
    std::size_t used = 0;
    for (std::size_t cell = 0; cell < owners_.size(); ++cell)
      used = owners_[cell] > 0 ? cell + 1 : used;
    made.cells = std::min(owners_.size(), (used + 15) / 16 * 16);  // a window, padded
    made.mask.assign(made.rows.size() * made.cells, -std::numeric_limits<float>::infinity());
    made.weights.assign(made.mask.size(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < made.rows.size(); ++i)
      fill(made, i);
    made.expected.assign(made.weights.begin(), made.weights.end());
    calibrate(made);
    if (window_ != 0 && gives_passed_away) release_passed();
    return made;
  }

  /// A new sequence with the first `count` tokens of another.
  void fork(int from, int to, std::size_t count) {
    const std::vector<token>& whole = sequences.at(from);
    sequences[to].assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count));
    for (const token& each : sequences[to])
      ++owners_[each.cell];
  }
  void evict(int sequence, std::size_t begin, std::size_t end) {
    std::vector<token>& tokens = sequences.at(sequence);
    for (std::size_t k = begin; k < end; ++k) {
      if (tokens[k].cell != released) --owners_[tokens[k].cell];
    }
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                 tokens.begin() + static_cast<std::ptrdiff_t>(end));
  }
  void take_back(int sequence, std::size_t keep) { evict(sequence, keep, sequences.at(sequence).size()); }
  void drop(int sequence) {
    take_back(sequence, 0);
    sequences.erase(sequence);
  }
  std::size_t free_cells() const {
    return static_cast<std::size_t>(std::count(owners_.begin(), owners_.end(), 0));
  }

 private:
  std::size_t take() {
    std::vector<std::size_t> free;
    for (std::size_t cell = 0; cell < owners_.size(); ++cell) {
      if (owners_[cell] == 0) free.push_back(cell);
    }
    const std::size_t cell = free.at(lowest_first_ ? 0 : random_() % free.size());
    owners_[cell] = 1;
    return cell;
  }

  // Cells that no later row will see are free for others, while the token is remembered.
  void release_passed() {
    for (auto& [sequence, tokens] : sequences) {
      for (std::size_t k = 0; k + window_ < tokens.size(); ++k) {
        if (tokens[k].cell == released) continue;
        --owners_[tokens[k].cell];
        tokens[k].cell = released;
      }
    }
  }

  void fill(map& made, std::size_t i) {
    const row& each = made.rows[i];
    if (each.padding) return;
    std::vector<token>& tokens = sequences[each.sequence];
    std::normal_distribution<double> logit(0, 1);
    std::vector<double> weight;
    double sum = 0;
    for (std::size_t t = each.first; t <= each.token; ++t) {
      weight.push_back(std::exp(logit(random_) + (tokens[t].attracts ? 4 : 0)));
      sum += weight.back();
    }
    for (std::size_t t = each.first; t <= each.token; ++t) {
      const std::size_t at = i * made.cells + tokens[t].cell;
      made.mask[at] = 0;
      made.weights[at] = static_cast<float>(weight[t - each.first] / sum);
      tokens[t].sum += static_cast<double>(made.weights[at]);
      ++tokens[t].rows;
    }
  }

  void calibrate(map& made) {
    for (const row& each : made.rows) {
      if (each.padding || made.sinks.contains(each.sequence)) continue;
      const std::vector<token>& tokens = sequences[each.sequence];
      std::vector<std::size_t>& sinks = made.sinks[each.sequence];
      for (std::size_t t = 1; t < tokens.size(); ++t) {
        const double score = tokens[t].rows > 0 ? tokens[t].sum / static_cast<double>(tokens[t].rows) : 0;
        if (score > alpha / static_cast<double>(tokens.size())) sinks.push_back(t);
      }
    }
    for (std::size_t i = 0; i < made.rows.size(); ++i) {
      const row& each = made.rows[i];
      if (each.padding) continue;
      const std::vector<std::size_t>& sinks = made.sinks[each.sequence];
      double on_sinks = 0, elsewhere = 0;
      const auto at = [&](std::size_t t) -> double& {
        return made.expected[i * made.cells + sequences[each.sequence][t].cell];
      };
      const auto is_sink = [&](std::size_t t) {
        return std::find(sinks.begin(), sinks.end(), t) != sinks.end();
      };
      for (std::size_t t = each.first; t <= each.token; ++t)
        (is_sink(t) ? on_sinks : elsewhere) += at(t);
      if (on_sinks == 0 || elsewhere == 0) continue;
      for (std::size_t t = each.first; t <= each.token; ++t)
        at(t) *= is_sink(t) ? beta : 1 + (1 - beta) * on_sinks / elsewhere;
    }
  }

  static constexpr std::size_t released = std::numeric_limits<std::size_t>::max();
  std::mt19937 random_;
  std::vector<int> owners_;
  std::size_t window_;
  bool lowest_first_;
};

}  // namespace act_test
