// What a stranger's engine writes: one causal multi-head attention layer in Eigen that calibrates its
// attention maps through the library's one door, act::calibrate, between the softmax and the product with V.
//
// The input is made up: a token in the middle of the sequence is a sink for heads 1 and 3, as some tokens are
// in real models. The program prints what the layer's heads give to that token and to the rest, before and
// after.
#include <act/calibrate.hpp>

#include <Eigen/Dense>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Eigen::Index tokens = 48, heads = 4, head_size = 16, width = heads * head_size;
constexpr Eigen::Index sink_token = 11;

struct attention_layer {
  matrix wq, wk, wv, wo;        // width x width
  act::layer_heads calibrated;  // the heads of this layer that a search found; built once
};

/// Softmaxed causal weights of every head, [head, query, key], packed.
std::vector<float> attention_weights(const matrix& q, const matrix& k) {
  std::vector<float> weights(static_cast<std::size_t>(heads * tokens * tokens), 0.0F);
  for (Eigen::Index h = 0; h < heads; ++h) {
    Eigen::Map<matrix> map(weights.data() + h * tokens * tokens, tokens, tokens);
    const auto columns = Eigen::seqN(h * head_size, head_size);
    map.noalias() = q(Eigen::all, columns) * k(Eigen::all, columns).transpose() / std::sqrt(float(head_size));
    for (Eigen::Index i = 0; i < tokens; ++i) {
      auto seen = map.row(i).head(i + 1);
      seen = (seen.array() - seen.maxCoeff()).exp().matrix();
      seen /= seen.sum();
      map.row(i).tail(tokens - i - 1).setZero();
    }
  }
  return weights;
}

/// One layer's attention, hidden states in and out. With `calibrate` the layer's chosen heads are calibrated.
matrix attention(const attention_layer& layer, const matrix& hidden, bool calibrate,
                 act::calibration_report& report) {
  const matrix q = hidden * layer.wq, k = hidden * layer.wk, v = hidden * layer.wv;
  std::vector<float> weights = attention_weights(q, k);

  if (calibrate) {  // everything that calibration adds to an engine
    const auto map = act::attention_span<float>::packed(weights.data(), 1, heads, tokens, tokens);
    report = act::calibrate(map, layer.calibrated);
  }

  matrix mixed(tokens, width);
  for (Eigen::Index h = 0; h < heads; ++h) {
    const Eigen::Map<const matrix> map(weights.data() + h * tokens * tokens, tokens, tokens);
    const auto columns = Eigen::seqN(h * head_size, head_size);
    mixed(Eigen::all, columns).noalias() = map * v(Eigen::all, columns);
  }
  return mixed * layer.wo;
}

}  // namespace

int main() {
  std::srand(7);  // Eigen's Random
  const auto random = [](Eigen::Index rows, Eigen::Index columns) {
    return matrix(matrix::Random(rows, columns));
  };
  attention_layer layer{random(width, width) / 8,
                        random(width, width) / 8,
                        random(width, width) / 8,
                        random(width, width) / 8,
                        {1, 3}};
  matrix hidden = random(tokens, width);
  hidden.col(0).setOnes();  // a channel that every query carries
  hidden.col(1).setZero();  // and one that only the sink's key has
  hidden(sink_token, 1) = 2;
  for (const Eigen::Index head : {1, 3})
    layer.wq(0, head * head_size) = layer.wk(1, head * head_size) = 3;

  act::calibration_report report;
  const matrix plain = attention(layer, hidden, false, report);
  const matrix calibrated = attention(layer, hidden, true, report);

  for (const act::head_report& head : report.heads) {
    std::printf("head %zu: %zu sinks, %.1f of %td rows' attention was moved off them\n", head.head,
                head.sinks.size(), head.moved_mass, tokens);
    for (const act::sink& s : head.sinks)
      std::printf("  token %zu: mean weight %.3f\n", s.position, s.score);
  }
  std::printf("the layer's output moved by %.1f %%\n",
              double(100 * (calibrated - plain).norm() / plain.norm()));
  return 0;
}
