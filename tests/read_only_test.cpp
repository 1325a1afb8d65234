// Rows that a call is said to leave as they are, or only reads, lie in memory that can't be written: writing
// them and putting them back would be seen by another thread, and ends this program.
#include <doctest/doctest.h>
#include <act/act.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>

namespace {

/// A copy of `numbers` that can only be read.
template <class T>
class read_only {
 public:
  explicit read_only(const std::vector<T>& numbers) : size_(numbers.size()) {
    memory_ = mmap(nullptr, size_ * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory_ != MAP_FAILED);
    std::copy(numbers.begin(), numbers.end(), static_cast<T*>(memory_));
    REQUIRE(mprotect(memory_, size_ * sizeof(T), PROT_READ) == 0);
  }
  ~read_only() { munmap(memory_, size_ * sizeof(T)); }
  read_only(const read_only&) = delete;
  read_only& operator=(const read_only&) = delete;
  [[nodiscard]] std::span<T> numbers() const { return {static_cast<T*>(memory_), size_}; }

 private:
  std::size_t size_;
  void* memory_;
};

constexpr std::size_t keys_of_row = 700;

/// Rows with all of their mass on key 5, a sink: nothing can receive, so they stay.
template <class T>
std::vector<T> rows_on_one_sink(std::size_t rows) {
  std::vector<T> numbers(rows * keys_of_row, T(0));
  for (std::size_t i = 0; i < rows; ++i)
    numbers[i * keys_of_row + 5] = T(1);
  return numbers;
}

}  // namespace

TEST_CASE_TEMPLATE("rows that stay are only read", T, float, double, act::float16) {
  const std::vector<std::size_t> sinks{5};
  const read_only<T> row(rows_on_one_sink<T>(1));
  CHECK(act::calibrate_row<T>(row.numbers(), {0, keys_of_row}, sinks) == 0);
  CHECK((act::calibrate_row<T, act::simd::scalar>(row.numbers(), {0, keys_of_row}, sinks)) == 0);

  const read_only<T> map(rows_on_one_sink<T>(40));
  const auto span = act::attention_span<T>::packed(map.numbers().data(), 1, 1, 40, keys_of_row,
                                                   {.query_offset = keys_of_row - 40});
  CHECK(act::calibrate_with_sinks(span, 0, 0, sinks) == 0);
  CHECK(act::calibrate(span, {0}).heads[0].moved_mass == 0);

  act::sink_tracker tracker;
  for (int step = 0; step < 20; ++step)
    tracker.append(std::span<const T>(row.numbers()), {0, keys_of_row});
  CHECK(tracker.sinks().size() == 1);
  CHECK(tracker.calibrate_row(row.numbers(), {0, keys_of_row}) == 0);
}
#endif
