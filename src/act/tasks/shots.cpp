#include <act/error.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/shots.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

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

}  // namespace act::tasks
