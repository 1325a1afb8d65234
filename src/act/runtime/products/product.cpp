#include <act/parallel.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/product.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace act::runtime {
namespace {

// What one task expands: so many features of so many numbers, 192 KiB of float32, which stay in the second
// cache while the rows of activations pass by. 96 is a multiple of every panel's width, 512 of every block.
constexpr std::size_t block_features = 96;
constexpr std::size_t block_depth = 512;
// Rows that share an expansion, and then go to another task: with few features there would be fewer tasks
// than cores.
constexpr std::size_t block_rows = 1024;
// Features of a task with a few rows: long stretches of memory, but one for each thread twice, so that a
// thread that others hold up doesn't hold up all.
std::size_t few_features(std::size_t count) noexcept {
  constexpr std::size_t least = 32, most = block_features;
  return std::clamp(count / (2 * thread_count()), least, most);
}

constexpr std::size_t widest_panel = 32;
static_assert(block_features % widest_panel == 0);

// Memory that a thread keeps for its next product; its contents are no one's.
class thread_memory {
 public:
  /// At least `count` words, aligned for vectors. Not noexcept: call it where an exception may pass.
  std::uint32_t* words(std::size_t count) {
    if (count > count_) {
      words_.reset();
      count_ = 0;
      words_.reset(static_cast<std::uint32_t*>(::operator new(count * sizeof(std::uint32_t), alignment)));
      count_ = count;
    }
    return words_.get();
  }

 private:
  static constexpr std::align_val_t alignment{64};
  struct release {
    void operator()(std::uint32_t* of) const noexcept { ::operator delete(of, alignment); }
  };
  std::unique_ptr<std::uint32_t, release> words_;
  std::size_t count_ = 0;
};

// A task's panels, and for int8 the scales and minima of their blocks.
struct panel_memory {
  alignas(64) std::array<std::uint32_t, block_features * block_depth> panels{};
  alignas(64) std::array<float, block_features * block_depth / 32> scales{}, minima{};
};

// Thread storage, not the heap: tasks run where nothing can be thrown.
constinit thread_local panel_memory own_panels;

using row_list = std::array<stored_row, block_features>;

activation_words convert(product_rows<const float> x, std::size_t depth, compute_type compute,
                         const product_kernels& with) {
  if (compute == compute_type::f32)
    return {.words = reinterpret_cast<const std::uint32_t*>(x.data), .stride = x.stride};
  static thread_local thread_memory memory;
  const bool int8 = compute == compute_type::int8;
  const std::size_t blocks = (depth + 31) / 32;
  const std::size_t stride = int8 ? 8 * blocks : (depth + 1) / 2;
  std::uint32_t* const words = memory.words(x.rows * (stride + (int8 ? 2 * blocks : 0)));
  float* const scales = reinterpret_cast<float*>(words + x.rows * stride);
  float* const sums = scales + x.rows * blocks;
  constexpr std::size_t rows_a_task = 32;
  const auto run = [&](std::size_t task) noexcept {
    const std::size_t end = std::min((task + 1) * rows_a_task, x.rows);
    for (std::size_t row = task * rows_a_task; row < end; ++row) {
      const float* const from = x.data + row * x.stride;
      if (int8) {
        with.convert_int8(from, depth, words + row * stride, scales + row * blocks, sums + row * blocks);
      } else {
        with.convert_bf16(from, depth, words + row * stride);
      }
    }
  };
  parallel_for((x.rows + rows_a_task - 1) / rows_a_task, run);
  return {words, stride, scales, sums, blocks};
}

// Rows [row, row + count) of x times features [first, first + features), `features` <= block_features.
void multiply_block(const activation_words& x, std::size_t row, std::size_t count,
                    const stored_matrix& weights, std::size_t first, std::size_t features,
                    compute_type compute, const product_kernels& with, float* out,
                    std::size_t out_stride) noexcept {
  row_list rows;
  weights.rows(first, std::span(rows).first(features));
  panel_memory& memory = own_panels;
  const std::size_t width = with.panel_width, columns = weights.columns();
  // Rows that pass by all panels together, so that they are read from a near cache; nearly equally many each
  // time.
  constexpr std::size_t most_rows = 12;
  const std::size_t passes = (count + most_rows - 1) / most_rows;
  for (std::size_t at = 0; at < columns; at += block_depth) {
    const std::size_t depth = std::min(block_depth, columns - at);
    const std::size_t numbers_a_word = compute == compute_type::f32    ? 1
                                       : compute == compute_type::bf16 ? 2
                                                                       : 4;
    const std::size_t blocks = (depth + 31) / 32;
    const std::size_t panel_words =
        width * (compute == compute_type::int8 ? 8 * blocks : (depth + numbers_a_word - 1) / numbers_a_word);
    for (std::size_t panel = 0; panel * width < features; ++panel) {
      const stored_row* const of = rows.data() + panel * width;
      const std::size_t some = std::min(width, features - panel * width);
      std::uint32_t* const to = memory.panels.data() + panel * panel_words;
      if (compute == compute_type::f32) {
        with.expand_f32(of, some, at, depth, to);
      } else if (compute == compute_type::bf16) {
        with.expand_bf16(of, some, at, depth, to);
      } else {
        with.expand_int8(of, some, at, depth, to, memory.scales.data() + panel * width * blocks,
                         memory.minima.data() + panel * width * blocks);
      }
    }
    const std::uint32_t* const from = x.words + at / numbers_a_word;
    std::size_t done = 0;
    for (std::size_t pass = 0; pass < passes; ++pass) {
      const std::size_t some_rows = count / passes + (pass < count % passes ? 1 : 0);
      const std::uint32_t* const some_x = from + (row + done) * x.stride;
      for (std::size_t panel = 0; panel * width < features; ++panel) {
        const std::size_t some = std::min(width, features - panel * width);
        const std::uint32_t* const of = memory.panels.data() + panel * panel_words;
        float* const to = out + done * out_stride + panel * width;
        if (compute == compute_type::f32) {
          with.multiply_f32(some_x, x.stride, some_rows, of, depth, to, out_stride, some, at > 0);
        } else if (compute == compute_type::bf16) {
          with.multiply_bf16(some_x, x.stride, some_rows, of, depth, to, out_stride, some, at > 0);
        } else {
          const std::size_t block = (row + done) * x.block_stride + at / 32;
          with.multiply_int8(some_x, x.stride, x.scales + block, x.sums + block, x.block_stride, some_rows,
                             of, memory.scales.data() + panel * width * blocks,
                             memory.minima.data() + panel * width * blocks, depth, to, out_stride, some,
                             at > 0);
        }
      }
      done += some_rows;
    }
  }
}

template <class Run>
void run_tasks(std::size_t tasks, std::size_t work, const Run& run) noexcept {
  if (work >= product_worth_threads) return parallel_for(tasks, run);
  for (std::size_t task = 0; task < tasks; ++task)
    run(task);
}

}  // namespace

void multiply(product_rows<const float> x, const stored_matrix& weights, std::size_t first, std::size_t count,
              compute_type compute, product_rows<float> out) {
  if (x.rows == 0 || count == 0) return;
  const product_kernels& with = kernels();
  const std::size_t columns = weights.columns(), work = x.rows * count * columns;
  if (x.rows < with.panel_worth_rows) {
    const bool int8 = compute == compute_type::int8;
    const activation_words in_bytes = int8 ? convert(x, columns, compute, with) : activation_words{};
    const std::size_t each = few_features(count);
    run_tasks((count + each - 1) / each, work, [&](std::size_t task) noexcept {
      const std::size_t from = task * each, some = std::min(each, count - from);
      row_list rows;
      weights.rows(first + from, std::span(rows).first(some));
      if (int8) {
        with.multiply_few_int8(rows.data(), some, columns, x.data, x.stride, in_bytes, x.rows,
                               out.data + from, out.stride);
      } else {
        with.multiply_few(rows.data(), some, columns, x.data, x.stride, x.rows, out.data + from, out.stride);
      }
    });
    return;
  }
  const activation_words words = convert(x, columns, compute, with);
  const std::size_t feature_blocks = (count + block_features - 1) / block_features;
  const std::size_t row_blocks = (x.rows + block_rows - 1) / block_rows;
  run_tasks(feature_blocks * row_blocks, work, [&](std::size_t task) noexcept {
    const std::size_t from = task % feature_blocks * block_features, row = task / feature_blocks * block_rows;
    multiply_block(words, row, std::min(block_rows, x.rows - row), weights, first + from,
                   std::min(block_features, count - from), compute, with, out.data + row * out.stride + from,
                   out.stride);
  });
}

}  // namespace act::runtime
