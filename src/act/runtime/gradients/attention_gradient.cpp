#include <act/parallel.hpp>
#include <act/runtime/gradients/attention_gradient.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act::runtime {
namespace {

constexpr std::size_t queries_of_a_block = 64;

void clear(matrix_ref x) noexcept {
  for (std::size_t row = 0; row < x.rows(); ++row)
    std::fill(x.row(row).begin(), x.row(row).end(), 0.0F);
}

// Some query rows of one head and the keys that any of them sees.
struct map_block {
  std::size_t head, first_query, queries, first_key, keys;
};

// What one thread works with.
class block_memory {
 public:
  explicit block_memory(std::size_t longest, bool caps)
      : weights_(queries_of_a_block, longest),
        gradients_(queries_of_a_block, longest),
        caps_(caps ? queries_of_a_block : 0, longest) {}

  [[nodiscard]] matrix_ref weights(const map_block& of) noexcept { return part(weights_, of); }
  [[nodiscard]] matrix_ref gradients(const map_block& of) noexcept { return part(gradients_, of); }
  // The soft cap's derivative at each score.
  [[nodiscard]] matrix_ref caps(const map_block& of) noexcept { return part(caps_, of); }

 private:
  static matrix_ref part(matrix& of, const map_block& block) noexcept {
    return of.row_block(0, block.queries).columns(0, block.keys);
  }
  matrix weights_, gradients_, caps_;
};

// Scores to weights, in place; weights of keys that a row doesn't see are 0.
void softmax_rows(const attention_shape& shape, const map_block& block, matrix_ref weights,
                  block_memory& memory) noexcept {
  for (std::size_t i = 0; i < block.queries; ++i) {
    const std::size_t position = block.first_query + i;
    const std::size_t begin = shape.window == 0 ? 0 : position + 1 - std::min(position + 1, shape.window);
    const std::size_t from = std::max(begin, block.first_key) - block.first_key;
    const std::size_t to = position + 1 - block.first_key;
    const std::span<float> row = weights.row(i);
    std::fill(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(from), 0.0F);
    std::fill(row.begin() + static_cast<std::ptrdiff_t>(to), row.end(), 0.0F);
    const std::span<float> seen = row.subspan(from, to - from);
    scale(seen, shape.scale);
    if (shape.soft_cap > 0) {
      soft_cap(seen, shape.soft_cap);
      const std::span<float> caps = memory.caps(block).row(i).subspan(from, to - from);
      for (std::size_t j = 0; j < seen.size(); ++j) {
        const float capped = seen[j] / shape.soft_cap;
        caps[j] = 1.0F - capped * capped;
      }
    }
    if (!shape.slopes.empty()) {
      for (std::size_t j = 0; j < seen.size(); ++j)
        seen[j] -= shape.slopes[block.head] * static_cast<float>(seen.size() - 1 - j);
    }
    exponentials(seen, largest(seen));
    scale(seen, 1.0F / sum(seen));
  }
}

// Gradients with regard to weights become those with regard to q . k, in place. `outs`: of the block's
// queries; `along`: the gradient with regard to them.
void through_softmax(const attention_shape& shape, const map_block& block, const const_matrix_ref& outs,
                     const const_matrix_ref& along, block_memory& memory) noexcept {
  const matrix_ref weights = memory.weights(block), gradients = memory.gradients(block);
  for (std::size_t i = 0; i < block.queries; ++i) {
    // A row's gradients weighted by its weights: what its output has along its gradient.
    const float mean = dot(along.row(i), outs.row(i));
    const std::span<float> row = gradients.row(i);
    const std::span<const float> of = weights.row(i);
    for (std::size_t j = 0; j < row.size(); ++j)
      row[j] = of[j] * (row[j] - mean) * shape.scale;
    if (shape.soft_cap > 0) {
      const std::span<const float> caps = memory.caps(block).row(i);
      for (std::size_t j = 0; j < row.size(); ++j)
        row[j] = of[j] == 0.0F ? 0.0F : row[j] * caps[j];
    }
  }
}

class sequence_gradient {
 public:
  sequence_gradient(const attention_pass& pass, const attention_sequence& sequence,
                    const const_matrix_ref& of_out, matrix_ref of_query, matrix_ref of_key_value)
      : pass_(pass),
        shape_(pass.shape),
        sequence_(sequence),
        of_out_(of_out),
        of_query_(of_query),
        of_key_value_(of_key_value) {}

  // All query heads of one key and value head.
  void run(std::size_t kv_head, block_memory& memory) noexcept {
    const std::size_t d = shape_.head_size, stacked = of_out_.rows() / pass_.out.rows();
    const std::size_t group = shape_.heads / shape_.kv_heads, kv_width = shape_.kv_heads * d;
    for (std::size_t k = 0; k < stacked; ++k) {
      clear(rows(of_key_value_, k, 0, sequence_.keys).columns(kv_head * d, d));
      clear(rows(of_key_value_, k, 0, sequence_.keys).columns(kv_width + kv_head * d, d));
      clear(rows(of_query_, k, 0, sequence_.queries).columns(kv_head * group * d, group * d));
    }
    for (std::size_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (std::size_t first = 0; first < sequence_.queries; first += queries_of_a_block) {
        const std::size_t queries = std::min(queries_of_a_block, sequence_.queries - first);
        const std::size_t first_key = shape_.window == 0 ? 0 : first + 1 - std::min(first + 1, shape_.window);
        run_block({.head = head,
                   .first_query = first,
                   .queries = queries,
                   .first_key = first_key,
                   .keys = first + queries - first_key},
                  kv_head, stacked, memory);
      }
    }
  }

 private:
  // Rows [first, first + count) of the sequence, in the k-th block of rows.
  template <class Matrix>
  [[nodiscard]] Matrix rows(Matrix of, std::size_t k, std::size_t first, std::size_t count) const noexcept {
    return of.row_block(k * pass_.out.rows() + sequence_.first_query + first, count);
  }

  void run_block(const map_block& block, std::size_t kv_head, std::size_t stacked,
                 block_memory& memory) noexcept {
    const std::size_t d = shape_.head_size, kv_width = shape_.kv_heads * d;
    const auto queries = rows(pass_.query, 0, block.first_query, block.queries).columns(block.head * d, d);
    const auto outs = rows(pass_.out, 0, block.first_query, block.queries).columns(block.head * d, d);
    const auto keys = rows(pass_.key_value, 0, block.first_key, block.keys).columns(kv_head * d, d);
    const auto values =
        rows(pass_.key_value, 0, block.first_key, block.keys).columns(kv_width + kv_head * d, d);
    const matrix_ref weights = memory.weights(block), gradients = memory.gradients(block);
    multiply_turned(queries, keys, weights);
    softmax_rows(shape_, block, weights, memory);
    for (std::size_t k = 0; k < stacked; ++k) {
      const auto along = rows(of_out_, k, block.first_query, block.queries).columns(block.head * d, d);
      const auto to_key_value = rows(of_key_value_, k, block.first_key, block.keys);
      multiply_turned(along, values, gradients);
      add_turned_product(weights, along, to_key_value.columns(kv_width + kv_head * d, d));
      through_softmax(shape_, block, outs, along, memory);
      add_product(gradients, keys,
                  rows(of_query_, k, block.first_query, block.queries).columns(block.head * d, d));
      add_turned_product(gradients, queries, to_key_value.columns(kv_head * d, d));
    }
  }

  const attention_pass& pass_;
  const attention_shape& shape_;
  const attention_sequence& sequence_;
  const_matrix_ref of_out_;
  matrix_ref of_query_, of_key_value_;
};

}  // namespace

void attention_gradient(const attention_pass& pass, const const_matrix_ref& of_out, matrix_ref of_query,
                        matrix_ref of_key_value) {
  std::size_t longest = 0;
  for (const attention_sequence& each : pass.sequences)
    longest = std::max(longest, each.keys);
  std::vector<block_memory> memory(thread_count(), block_memory(longest, pass.shape.soft_cap > 0));
  parallel_for(pass.sequences.size() * pass.shape.kv_heads,
               [&](std::size_t task, std::size_t worker) noexcept {
                 const attention_sequence& sequence = pass.sequences[task / pass.shape.kv_heads];
                 sequence_gradient(pass, sequence, of_out, of_query, of_key_value)
                     .run(task % pass.shape.kv_heads, memory[worker]);
               });
}

}  // namespace act::runtime
