// Choosing samples, and which are shown before the one that is asked: selection.hpp, shots.hpp, few_shot.hpp.
#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/shots.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace act::tasks {

std::vector<std::size_t> select(std::size_t n, std::size_t k, std::uint64_t seed) {
  if (k > n) {
    throw error(error_code::invalid_option, "selection",
                "can't choose " + std::to_string(k) + " of " + std::to_string(n) + " samples; ask for fewer");
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  runtime::splitmix64 draw(seed);
  for (std::size_t i = 0; i < k; ++i) {
    std::swap(order[i], order[i + static_cast<std::size_t>(draw() % (n - i))]);
  }
  order.resize(k);
  return order;
}

std::vector<std::size_t> select_limited(std::size_t n, std::int64_t count, std::uint64_t seed) {
  const std::size_t k = count <= 0 ? n : std::min(n, static_cast<std::size_t>(count));
  if (k == n) {
    std::vector<std::size_t> everything(n);
    std::iota(everything.begin(), everything.end(), std::size_t{0});
    return everything;
  }
  std::vector<std::size_t> chosen = select(n, k, seed);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

drawn_shots::drawn_shots(std::size_t n, std::size_t k, std::uint64_t seed)
    : order_(k > n ? select(n, k, seed) : select(n, std::min(k + 1, n), seed)), count_(k) {}

std::vector<std::size_t> drawn_shots::for_sample(std::optional<std::size_t> own) const {
  std::vector<std::size_t> shots;
  for (const std::size_t drawn : order_) {
    if (drawn != own && shots.size() < count_) {
      shots.push_back(drawn);
    }
  }
  if (shots.size() < count_) {
    throw error(
        error_code::invalid_option, "shots",
        "the file has no sample beside the asked one for shot " + std::to_string(count_) + "; ask for fewer");
  }
  return shots;
}

balanced_shots::balanced_shots(std::span<const std::size_t> labels, std::size_t k, std::uint64_t seed)
    : order_(select(labels.size(), labels.size(), seed)) {
  for (const std::size_t drawn : order_)
    label_of_.push_back(labels[drawn]);
  // Labels in the order in which they are first drawn: those in front get the odd ones.
  std::vector<std::size_t> kinds;
  for (const std::size_t label : label_of_) {
    if (std::find(kinds.begin(), kinds.end(), label) == kinds.end()) kinds.push_back(label);
  }
  if (kinds.empty()) throw error(error_code::invalid_option, "shots", "can't be drawn from no samples");
  of_label_.resize(*std::max_element(kinds.begin(), kinds.end()) + 1);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::size_t label = kinds[i];
    of_label_[label] = k / kinds.size() + (i < k % kinds.size() ? 1 : 0);
    const auto there = static_cast<std::size_t>(std::count(labels.begin(), labels.end(), label));
    if (there < of_label_[label]) {
      throw error(error_code::invalid_option, "shots",
                  "the file has " + std::to_string(there) + " samples of label " + std::to_string(label) +
                      ", too few for " + std::to_string(of_label_[label]) +
                      " balanced shots of it; ask for fewer");
    }
  }
}

std::vector<std::size_t> balanced_shots::for_sample(std::optional<std::size_t> own) const {
  std::vector<std::size_t> shots, left = of_label_;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (order_[i] == own || left[label_of_[i]] == 0) continue;
    shots.push_back(order_[i]);
    --left[label_of_[i]];
  }
  if (std::any_of(left.begin(), left.end(), [](std::size_t missing) { return missing > 0; })) {
    throw error(error_code::invalid_option, "shots",
                "the file has too few samples of a label beside the asked one for balanced shots; ask for "
                "fewer");
  }
  return shots;
}

std::vector<std::size_t> paragraph_shots(std::span<const sample> samples, std::size_t asked, std::size_t k) {
  std::vector<std::size_t> shots;
  for (std::size_t i = 0; i < samples.size() && shots.size() < k; ++i) {
    if (i != asked && samples[i].group == samples[asked].group) {
      shots.push_back(i);
    }
  }
  return shots;
}

std::vector<std::size_t> subject_shots(std::span<const sample> development, const sample& asked,
                                       std::size_t k) {
  const std::string& subject = asked.fields.at("subject");
  std::vector<std::size_t> shots;
  for (std::size_t i = 0; i < development.size() && shots.size() < k; ++i) {
    if (development[i].fields.at("subject") == subject) {
      shots.push_back(i);
    }
  }
  if (shots.size() < k) {
    throw error(error_code::invalid_input, "shots",
                "subject '" + subject + "' has " + std::to_string(shots.size()) +
                    " development samples for " + std::to_string(k) +
                    " shots; name the folder that holds its _dev.csv, or ask for fewer");
  }
  return shots;
}

bool shots_are_drawn(const task& of) noexcept {
  return of.format != file_format::mmlu_csv;
}

std::function<std::vector<sample>(const sample&)> few_shots(const task& of, std::span<const sample> pool,
                                                            std::size_t count, std::uint64_t seed,
                                                            bool same_file, bool balanced) {
  const auto at = [pool](std::span<const std::size_t> positions) {
    std::vector<sample> shown;
    for (const std::size_t position : positions)
      shown.push_back(pool[position]);
    return shown;
  };
  if (!shots_are_drawn(of)) {
    if (same_file) {
      throw error(
          error_code::invalid_option, "shots",
          "task '" + of.name +
              "' shows the first rows of the development file, not of the file that is asked; give the "
              "subject's _dev.csv");
    }
    return [=](const sample& asked) {
      std::vector<sample> shown = at(subject_shots(pool, asked, count));
      for (const sample& each : shown) {
        if (each.fields == asked.fields && each.choices == asked.choices) {
          throw error(error_code::invalid_input, "shots",
                      "would show sample " + std::to_string(asked.index) +
                          " its own answer; name a folder that holds _dev.csv files only");
        }
      }
      return shown;
    };
  }
  if (count + (same_file ? 1 : 0) > pool.size()) {
    throw error(error_code::invalid_option, "shots",
                "the file has " + std::to_string(pool.size()) + " samples, too few for " +
                    std::to_string(count) + " shots beside the asked one; ask for fewer");
  }
  if (balanced) {
    std::vector<std::size_t> labels;
    for (const sample& each : pool)
      labels.push_back(each.label);
    return [at, same_file, drawn = balanced_shots(labels, count, seed)](const sample& asked) {
      return at(drawn.for_sample(same_file ? std::optional(asked.index) : std::nullopt));
    };
  }
  return [at, same_file, drawn = drawn_shots(pool.size(), count, seed)](const sample& asked) {
    return at(drawn.for_sample(same_file ? std::optional(asked.index) : std::nullopt));
  };
}

}  // namespace act::tasks
