// The sets of heads that a rule chooses among.
#pragma once

#include <act/search/selection/head_orders.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace act::search {

/// One of a rule's sets, as it is named whatever samples it is made from.
struct set_recipe {
  std::string_view order;  ///< how heads are ordered; for the record
  std::size_t size = 0;    ///< how many of them are taken, at most; 0: none, the model stays as it is
  bool whole = false;      ///< as many as the order has
};

/// Numbers of heads that are tried where K isn't given: every one up to 12, then each about a sixth more than
/// the one before, up to `heads`, which is the last.
[[nodiscard]] std::vector<std::size_t> sizes_to_try(std::size_t heads);

/// What a rule chooses among in a search, each head counted once. The first is the empty set, unless the rule
/// has nothing to choose (K given; fdr; paper), when there is one recipe alone.
[[nodiscard]] std::vector<set_recipe> recipes(const selection_rule& rule, const score_changes& of);

/// The sets that the recipes give, made from the samples `over` alone: index = that of the recipe. `of` isn't
/// centred. A set may have less heads than its recipe says, where fewer improve the objective. It has each
/// head once: with the strength that comes first in the order, by which a rule without one (`all`) takes the
/// gain.
[[nodiscard]] std::vector<head_order> candidate_sets(const selection_rule& rule, const score_changes& of,
                                                     std::span<const std::size_t> over);

}  // namespace act::search
