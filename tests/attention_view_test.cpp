// Views: which keys a row sees, how many rows see a key, addresses, shapes that are refused.
#include <act/attention_view.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

TEST_CASE("a row sees the keys from its first one to its own") {
  const act::visibility whole;
  CHECK(whole.row(0, 0).begin == 0);
  CHECK(whole.row(0, 0).end == 1);
  CHECK(whole.row(0, 6).size() == 7);

  const std::array<std::size_t, 2> first{0, 3};
  const act::visibility padded{.query_offset = 2, .first_key = first, .window = 4};
  CHECK(padded.row(0, 0).size() == 3);
  CHECK(padded.row(0, 5).begin == 4);
  CHECK(padded.row(0, 5).end == 8);
  CHECK(padded.row(1, 0).empty());
  CHECK(padded.row(1, 1).size() == 1);
  CHECK(padded.initial_key(1) == 3);
}

TEST_CASE("rows_seeing agrees with counting") {
  for (const std::size_t window : {0UL, 1UL, 3UL, 9UL, std::numeric_limits<std::size_t>::max()}) {
    for (const std::size_t offset : {0UL, 4UL}) {
      const std::array<std::size_t, 1> first{2};
      const act::visibility visible{.query_offset = offset, .first_key = first, .window = window};
      constexpr std::size_t queries = 7;
      for (std::size_t key = 0; key < offset + queries; ++key) {
        std::size_t rows = 0;
        for (std::size_t i = 0; i < queries; ++i)
          rows += visible.row(0, i).contains(key) ? 1 : 0;
        CHECK(visible.rows_seeing(0, key, offset, offset + queries) == rows);
      }
      CHECK(visible.rows_seeing(0, offset + queries, offset, offset + queries) == 0);
    }
  }
}

TEST_CASE("packed strides and row addresses") {
  std::vector<float> data(2 * 3 * 4 * 5);
  const auto map = act::attention_span<float>::packed(data.data(), 2, 3, 4, 5, {.query_offset = 1});
  CHECK_FALSE(map.validate());
  CHECK(map.row(1, 2, 3) == data.data() + data.size() - 5);
  const act::attention_view<float> view = map;
  CHECK(view.row(1, 2, 3) == map.row(1, 2, 3));
  CHECK(view.visible.query_offset == 1);
}

TEST_CASE("shapes that can't be right are named") {
  std::vector<float> data(1000);
  const auto good = act::attention_span<float>::packed(data.data(), 2, 3, 4, 4);
  const auto wrong_member = [&](auto change) {
    auto map = good;
    change(map);
    return std::string(map.validate().where);
  };
  CHECK(wrong_member([](auto&) {}).empty());
  CHECK(wrong_member([](auto& m) { m.data = nullptr; }) == "data");
  CHECK(wrong_member([](auto& m) { m.query_stride = 3; }) == "query_stride");
  CHECK(wrong_member([](auto& m) { m.head_stride = 15; }) == "head_stride");
  CHECK(wrong_member([](auto& m) { m.batch_stride = 40; }) == "batch_stride");
  CHECK(wrong_member([](auto& m) { m.batch_stride = 0; }) == "batch_stride");
  CHECK(wrong_member([](auto& m) { m.batch_stride = std::numeric_limits<std::size_t>::max() / 2; }) ==
        "batch_stride");
  CHECK(wrong_member([](auto& m) { m.visible.query_offset = 1; }) == "visible.query_offset");
  CHECK(wrong_member([](auto& m) { m.visible.query_offset = std::numeric_limits<std::size_t>::max(); }) ==
        "visible.query_offset");
  const std::array<std::size_t, 1> short_list{0};
  CHECK(wrong_member([&](auto& m) { m.visible.first_key = short_list; }) == "visible.first_key");
  const std::array<std::size_t, 2> far{0, 5};
  CHECK(wrong_member([&](auto& m) { m.visible.first_key = far; }) == "visible.first_key");
  // Extents of one need no stride, and empty maps no memory.
  CHECK_FALSE(act::attention_span<float>{
      .data = data.data(), .batches = 1, .heads = 1, .queries = 1, .keys = 9, .visible = {.query_offset = 8}}
                  .validate());
  CHECK_FALSE(act::attention_span<float>::packed(nullptr, 2, 0, 4, 4).validate());
}
