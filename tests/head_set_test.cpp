// Head sets: sorted, unique, by layer.
#include <act/head_set.hpp>

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("a head set is sorted and unique") {
  act::head_set heads{{3, 1}, {0, 5}, {3, 0}};
  CHECK(heads.size() == 3);
  CHECK_FALSE(heads.insert(3, 1));
  CHECK(heads.insert(2, 7));
  const std::vector<act::layer_head> listed(heads.begin(), heads.end());
  CHECK(listed == std::vector<act::layer_head>{{0, 5}, {2, 7}, {3, 0}, {3, 1}});
  CHECK(heads.contains(2, 7));
  CHECK_FALSE(heads.contains(7, 2));
  CHECK(act::head_set{}.empty());
}

TEST_CASE("the heads of a layer") {
  const act::head_set heads{{3, 1}, {0, 5}, {3, 0}};
  CHECK(heads.in_layer(3) == act::layer_heads{0, 1});
  CHECK(heads.in_layer(1).empty());
  CHECK(heads.in_layer(0).contains(5));
  CHECK_FALSE(heads.in_layer(0).contains(0));
  const act::layer_heads repeated{2, 0, 2};
  CHECK(repeated.count(9) == 2);
  CHECK(repeated.at(1) == 2);
}

TEST_CASE("all heads") {
  const act::layer_heads all = act::layer_heads::all();
  CHECK(all.contains(1000));
  CHECK_FALSE(all.empty());
  CHECK(all.count(12) == 12);
  CHECK(all.at(11) == 11);
}
