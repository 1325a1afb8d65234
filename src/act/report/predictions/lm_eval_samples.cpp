#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/report/number_text.hpp>
#include <act/report/predictions/lm_eval_samples.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/statistics/label_likelihood.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace act::report {

std::string lm_eval_line(const tasks::prepared_sample& sample, std::span<const double> scores,
                         const runtime::tokenizer& by) {
  const auto answer = [&](std::size_t k) {
    if (sample.greedy()) return std::string();  // any of several tokens says it
    if (sample.options.empty()) return by.decode({&sample.words[k], 1});
    const runtime::scored_text& option = sample.options[k];
    return by.decode(std::span(option.tokens).subspan(option.first_scored));
  };
  // lm-eval's is the sum over an option's tokens, a score of act's is that for each byte of the option.
  const auto log_likelihood = [&](std::size_t k) {
    return sample.options.empty() ? scores[k] : scores[k] * static_cast<double>(sample.option_bytes[k]);
  };
  const std::string prompt = by.decode(sample.prompt), target = std::to_string(sample.label);
  auto arguments = io::json_document::object(), resps = io::json_document::array(),
       filtered = io::json_document::array();
  for (std::size_t k = 0; k < sample.answers(); ++k) {
    arguments.set("gen_args_" + std::to_string(k),
                  io::json_document::object({{"arg_0", prompt}, {"arg_1", answer(k)}}));
    // Texts, as lm-eval has them: a log-likelihood, and whether the answer is the greedy one.
    const std::vector<std::string> answered{formatted("%.17g", log_likelihood(k)), "False"};
    resps.push_back(io::json_document::array({answered}));
    filtered.push_back(answered);
  }
  const auto document = io::json_document::object(
      {{"doc_id", sample.index},
       {"doc", io::json_document::object({{"index", sample.index}, {"label", sample.label}})},
       {"target", target},
       {"arguments", std::move(arguments)},
       {"resps", std::move(resps)},
       {"filtered_resps", std::move(filtered)},
       {"filter", "none"},
       {"metrics", std::vector<std::string>{"acc"}},
       {"prompt_hash", io::sha256().update(prompt).hex()},
       {"target_hash", io::sha256().update(target).hex()},
       {"acc", statistics::predicted_label(scores) == sample.label ? 1.0 : 0.0}});
  return document.text() + "\n";
}

}  // namespace act::report
