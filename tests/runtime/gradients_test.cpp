// Gradients of what a model says, backwards through every architecture and each of its switches, against
// differences of its forward pass.
#include <doctest/doctest.h>
#include <act/runtime/forward.hpp>
#include <act/runtime/gradients/layer_gradient.hpp>
#include <act/runtime/gradients/output_gradient.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/log_probabilities.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/parity_golden.hpp"

namespace {

using act::runtime::matrix;

// What is asked of every text: the logit of one token at its last row and, of another kind, the sum of the
// log-probabilities of its second half's tokens.
class scores_of_texts {
 public:
  scores_of_texts(const act::runtime::model& model, std::vector<std::vector<act::runtime::token_id>> texts)
      : model_(model),
        texts_(std::move(texts)),
        packed_(act::runtime::pack(model.config, texts_)),
        rotary_(model.config.rotary, packed_.positions) {
    for (const act::runtime::attention_sequence& each : packed_.sequences) {
      last_.push_back(static_cast<std::uint32_t>(each.first_query + each.queries - 1));
      asked_.push_back(packed_.tokens[each.first_query]);
      for (std::size_t row = each.first_query + each.queries / 2; row + 1 < each.first_query + each.queries;
           ++row) {
        predicting_.push_back(static_cast<std::uint32_t>(row));
        predicted_.push_back(packed_.tokens[row + 1]);
      }
    }
  }

  [[nodiscard]] act::runtime::layer_rows rows() const {
    return {.sequences = packed_.sequences, .rotary = rotary_};
  }
  [[nodiscard]] matrix start() const { return act::runtime::embed(model_, packed_); }

  // [2]: the sums over texts, from the input of layer `first`.
  [[nodiscard]] std::vector<double> from_input(std::size_t first, matrix hidden) const {
    act::runtime::layer_buffers buffers;
    for (std::size_t layer = first; layer < model_.config.layers; ++layer)
      act::runtime::run_layer(model_, layer, rows(), {}, hidden, buffers);
    return at_the_end(hidden);
  }

  // The same from the outputs of layer `number`'s heads on.
  [[nodiscard]] std::vector<double> from_heads(std::size_t number, matrix input, const matrix& heads) const {
    act::runtime::layer_buffers buffers;
    act::runtime::finish_layer(model_.config, model_.layers[number], heads, input, buffers);
    return from_input(number + 1, std::move(input));
  }

  // [2 rows, hidden]: of both with regard to the last layer's output.
  [[nodiscard]] matrix gradients(const matrix& hidden) const {
    matrix both(2 * hidden.rows(), hidden.cols());
    std::fill_n(both.data(), both.size(), 0.0F);
    const auto place = [&](const matrix& from, std::span<const std::uint32_t> at, std::size_t first) {
      for (std::size_t i = 0; i < at.size(); ++i)
        std::copy(from.row(i).begin(), from.row(i).end(), both.row(first + at[i]).begin());
    };
    place(act::runtime::logit_gradients(model_, act::runtime::rows_at(hidden, last_), asked_), last_, 0);
    place(act::runtime::log_probability_gradients(model_, act::runtime::rows_at(hidden, predicting_),
                                                  predicted_),
          predicting_, hidden.rows());
    return both;
  }

 private:
  [[nodiscard]] std::vector<double> at_the_end(const matrix& hidden) const {
    const matrix last = act::runtime::final_hidden(model_, act::runtime::rows_at(hidden, last_));
    matrix logits(last.rows(), model_.config.vocabulary);
    model_.output.all_logits(last, logits);
    std::vector<double> sums(2);
    for (std::size_t i = 0; i < asked_.size(); ++i)
      sums[0] += static_cast<double>(logits(i, static_cast<std::size_t>(asked_[i])));
    const matrix predicting = act::runtime::final_hidden(model_, act::runtime::rows_at(hidden, predicting_));
    for (const double each : act::runtime::token_log_probabilities(model_, predicting, predicted_))
      sums[1] += each;
    return sums;
  }

  const act::runtime::model& model_;
  std::vector<std::vector<act::runtime::token_id>> texts_;
  act::runtime::packed_prompts packed_;
  act::runtime::rotary_tables rotary_;
  std::vector<std::uint32_t> last_, predicting_;
  std::vector<act::runtime::token_id> asked_, predicted_;
};

matrix random_direction(const matrix& like, std::uint32_t seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> normal;
  matrix made(like.rows(), like.cols());
  double square = 0;
  for (std::size_t i = 0; i < like.size(); ++i)
    square += static_cast<double>(like.data()[i]) * static_cast<double>(like.data()[i]);
  const auto typical = static_cast<float>(std::sqrt(square / static_cast<double>(like.size())));
  for (std::size_t i = 0; i < made.size(); ++i)
    made.data()[i] = typical * normal(bits);
  return made;
}

// The scores' slopes along `direction` at `at`, by steps of several lengths: a long one is wrong by what the
// score is more than linear (a relu's kink most of all), a short one by what float32 rounds. [step][score].
template <class Scores>
std::vector<std::vector<double>> slopes(const matrix& at, const matrix& direction, const Scores& scores) {
  std::vector<std::vector<double>> found;
  for (const float step : {0.02F, 0.01F, 0.005F, 0.002F, 0.001F, 0.0005F}) {
    matrix forward = at, backward = at;
    for (std::size_t i = 0; i < at.size(); ++i) {
      forward.data()[i] += step * direction.data()[i];
      backward.data()[i] -= step * direction.data()[i];
    }
    std::vector<double> ahead = scores(std::move(forward));
    const std::vector<double> behind = scores(std::move(backward));
    for (std::size_t i = 0; i < ahead.size(); ++i)
      ahead[i] = (ahead[i] - behind[i]) / (2 * static_cast<double>(step));
    found.push_back(std::move(ahead));
  }
  return found;
}

// Of each score: its gradient along the direction.
std::vector<double> along(const matrix& gradients, const matrix& direction) {
  std::vector<double> sums;
  for (std::size_t first = 0; first < gradients.rows(); first += direction.rows()) {
    double& sum = sums.emplace_back(0.0);
    for (std::size_t i = 0; i < direction.size(); ++i) {
      sum += static_cast<double>(gradients.row_block(first, direction.rows()).data()[i]) *
             static_cast<double>(direction.data()[i]);
    }
  }
  return sums;
}

// Within two hundredths of what the direction's parts say together, whichever step tells best.
void compare(const matrix& gradients, const matrix& direction,
             const std::vector<std::vector<double>>& expected) {
  const std::vector<double> found = along(gradients, direction);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    const auto rows = gradients.row_block(i * direction.rows(), direction.rows());
    double square = 0;
    for (std::size_t n = 0; n < direction.size(); ++n) {
      const double part = static_cast<double>(rows.data()[n]) * static_cast<double>(direction.data()[n]);
      square += part * part;
    }
    double difference = std::abs(found[i] - expected.front()[i]);
    for (const std::vector<double>& each : expected)
      difference = std::min(difference, std::abs(found[i] - each[i]));
    CHECK(square > 0);
    CHECK(difference <= 0.02 * std::sqrt(square));
  }
}

void check(const std::filesystem::path& folder) {
  const act::runtime::model model = act::runtime::read_model(folder.string());
  std::vector<std::vector<act::runtime::token_id>> texts;
  for (const act_test::parity_prompt& each : act_test::read_parity_golden(folder / "golden.json").prompts) {
    const bool runs = model.config.context_ends_by.empty() || each.tokens.size() <= model.config.context;
    if (each.tokens.size() > 3 && runs && texts.size() < 3) texts.push_back(each.tokens);
  }
  REQUIRE_FALSE(texts.empty());
  const scores_of_texts scores(model, texts);

  std::vector<matrix> inputs, heads;
  matrix hidden = scores.start();
  for (std::size_t layer = 0; layer < model.config.layers; ++layer) {
    act::runtime::layer_buffers buffers;
    inputs.push_back(hidden);
    act::runtime::run_layer(model, layer, scores.rows(), {}, hidden, buffers);
    heads.push_back(buffers.attention);
  }
  matrix gradient = scores.gradients(hidden), of_heads;
  for (std::size_t layer = model.config.layers; layer-- > 0;) {
    CAPTURE(layer);
    const act::runtime::layer_gradient backwards(model, layer);
    matrix again = gradient, of_heads_alone;
    backwards.pull_back_to_heads(scores.rows(), inputs[layer], again, of_heads_alone);
    backwards.pull_back(scores.rows(), inputs[layer], gradient, of_heads);
    CHECK(std::equal(of_heads.data(), of_heads.data() + of_heads.size(), of_heads_alone.data()));

    const matrix to_heads = random_direction(heads[layer], 1);
    compare(of_heads, to_heads, slopes(heads[layer], to_heads, [&](const matrix& at) {
              return scores.from_heads(layer, inputs[layer], at);
            }));
    const matrix to_input = random_direction(inputs[layer], 2);
    compare(gradient, to_input, slopes(inputs[layer], to_input, [&](matrix at) {
              return scores.from_input(layer, std::move(at));
            }));
  }
}

}  // namespace

TEST_CASE("gradients are those of the forward pass, for every architecture and switch") {
  for (const auto& architecture : std::filesystem::directory_iterator(act_test::parity_folder / "families")) {
    if (!architecture.is_directory()) continue;
    for (const auto& folder : std::filesystem::directory_iterator(architecture)) {
      CAPTURE(folder.path().string());
      check(folder.path());
    }
  }
}
