#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/statistics/auc.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/tasks/domain_prior.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace act::tasks {

namespace {

// A field's words, of all texts, and how many a text has on the mean.
struct field_words {
  std::vector<std::string> words;
  std::size_t length = 1;
};

std::map<std::string, field_words> words_of_fields(const task& of, std::span<const sample> corpus) {
  std::map<std::string, field_words> fields;
  for (const sample& each : corpus) {
    for (const auto& [name, text] : each.fields) {
      if (of.pattern.find("{" + name + "}") == std::string::npos) continue;
      std::istringstream in(text);
      for (std::string word; in >> word;)
        fields[name].words.push_back(word);
    }
  }
  for (auto& [name, field] : fields) {
    const double mean = static_cast<double>(field.words.size()) / static_cast<double>(corpus.size());
    field.length = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(mean)));
  }
  return fields;
}

}  // namespace

std::vector<sample> random_domain_samples(const task& of, std::span<const sample> corpus, std::size_t count,
                                          std::uint64_t seed) {
  if (of.kind != task_kind::classification) {
    throw error(error_code::unsupported, "prior",
                "task '" + of.name + "' has no labels that all samples share, so no prior of its domain");
  }
  const std::map<std::string, field_words> fields = words_of_fields(of, corpus);
  if (fields.empty()) throw error(error_code::invalid_input, "prior", "the samples' texts have no words");
  runtime::splitmix64 random(seed);
  std::vector<sample> made;
  for (std::size_t i = 0; i < count; ++i) {
    sample next = corpus[random() % corpus.size()];  // for the fields that the pattern doesn't name
    for (const auto& [name, field] : fields) {
      std::string text;
      for (std::size_t word = 0; word < field.length; ++word)
        text += (word == 0 ? "" : " ") + field.words[random() % field.words.size()];
      next.fields[name] = text;
    }
    made.push_back(std::move(next));
  }
  return made;
}

statistics::score_table less_domain_prior(const statistics::score_table& scores,
                                          const statistics::score_table& random_scores) {
  if (random_scores.empty())
    throw error(error_code::invalid_shape, "prior", "must have scores of a random text at least");
  std::vector<double> mean(random_scores.front().size());
  const auto check = [&](const std::vector<double>& row) {
    if (row.size() != mean.size())
      throw error(error_code::invalid_shape, "prior", "must have a score for each of a sample's answers");
  };
  for (const std::vector<double>& row : random_scores) {
    check(row);
    for (std::size_t answer = 0; answer < row.size(); ++answer)
      mean[answer] += std::exp(statistics::label_log_likelihood(row, answer));
  }
  statistics::score_table less = scores;
  for (std::vector<double>& row : less) {
    check(row);
    for (std::size_t answer = 0; answer < row.size(); ++answer)
      row[answer] -= std::log(mean[answer] / static_cast<double>(random_scores.size()));
  }
  return less;
}

}  // namespace act::tasks
