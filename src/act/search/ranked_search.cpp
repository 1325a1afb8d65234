#include <act/head_set.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/layer_trials.hpp>
#include <act/search/plan.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/search_run.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>
#include <act/search/trial_workers.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace act::search {

namespace {

std::vector<std::size_t> numbers_below(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

// The plain pass of a chunk and estimates of all its trials.
std::vector<trial_block> estimates_of(const search_run& run, const sample_chunk& chunk) {
  std::vector<trial_block> blocks{{.kind = block_kind::plain, .chunk = chunk}};
  for (trial_block& each : blocks_of(run, chunk, numbers_below(run.trials().heads().size()))) {
    each.kind = block_kind::estimates;
    blocks.push_back(std::move(each));
  }
  return blocks;
}

// What all estimates took, and the trials that they stand for would.
search_work work_of_estimates(const search_run& run) {
  search_work all;
  const search_plan& plan = run.plan();
  for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer) {
    for (std::size_t strength = 0; strength < plan.strength_count(); ++strength)
      all += run.estimates_work(layer, strength);
  }
  return all;
}

// Of each head the rows that its trials would run: of its layer's, as many as it has tokens in texts with
// sinks.
std::vector<double> rows_of_heads(const search_run& run) {
  const trial_table& table = run.estimates();
  const std::size_t strengths = run.plan().strength_count(), a_layer = run.heads_a_layer() * strengths;
  std::vector<double> rows(table.heads().size());
  for (std::size_t head = 0; head < rows.size(); ++head)
    rows[head] = cost_of(run, table, head);
  for (std::size_t first = 0; first < rows.size(); first += a_layer) {
    for (std::size_t strength = 0; strength < strengths; ++strength) {
      double whole = 0;
      for (std::size_t at = first + strength; at < first + a_layer; at += strengths)
        whole += rows[at];
      const auto of_layer =
          static_cast<double>(run.estimates_work(table.heads()[first].layer, strength).layer_rows_avoided);
      for (std::size_t at = first + strength; whole > 0 && at < first + a_layer; at += strengths)
        rows[at] *= of_layer / whole;
    }
  }
  return rows;
}

// Places of the table, the worthiest first.
std::vector<std::size_t> order_of(std::span<const double> worth) {
  std::vector<std::size_t> order = numbers_below(worth.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
  return order;
}

// How many of the first places in `order` will be picked. A head takes one place, whichever of its strengths
// gets it.
std::size_t cut_in(const trial_table& table, std::span<const std::size_t> order,
                   std::span<const double> worth, std::size_t places) {
  std::set<layer_head> picked;
  std::size_t cut = 0;
  while (cut < order.size() && worth[order[cut]] > 0 && (places == 0 || picked.size() < places)) {
    picked.insert(table.heads()[order[cut]]);
    ++cut;
  }
  return cut;
}

}  // namespace

void run_ranked_search(search_run& run, const ranked_options& options) {
  const std::vector<sample_chunk> chunks = run.plan().chunks();
  for (const sample_chunk& chunk : chunks) {
    run.run(estimates_of(run, chunk));
    const search_work so_far = work_of_estimates(run);
    if (static_cast<double>(so_far.layer_rows_computed) >
        options.estimates_at_most * static_cast<double>(so_far.layer_rows_avoided)) {
      run.run(exact_blocks(run.plan(), run.heads_a_layer()));
      return;
    }
  }

  const std::size_t heads = run.trials().heads().size();
  const std::vector<double> worth = options.worth(run.estimates());
  const std::vector<std::size_t> order = order_of(worth);
  const std::vector<double> rows = rows_of_heads(run);
  const search_work estimates = work_of_estimates(run);
  double left = options.budget * static_cast<double>(estimates.layer_rows_avoided) * (1 + 1e-9) -
                static_cast<double>(estimates.layer_rows_computed);
  std::size_t above = cut_in(run.estimates(), order, worth, options.places), below = above;
  std::vector<bool> exact(heads);
  for (bool look_above = true; above > 0 || below < heads; look_above = !look_above) {
    if (look_above ? above == 0 : below == heads) continue;
    const std::size_t head = look_above ? order[--above] : order[below++];
    if (rows[head] > left) break;
    left -= rows[head];
    exact[head] = true;
  }

  std::vector<std::size_t> tried;
  for (std::size_t head = 0; head < heads; ++head) {
    if (exact[head]) {
      tried.push_back(head);
    } else {
      run.take_estimates(head);
    }
  }
  std::vector<trial_block> blocks;
  for (const sample_chunk& chunk : chunks) {
    std::vector<trial_block> more = blocks_of(run, chunk, tried);
    blocks.insert(blocks.end(), more.begin(), more.end());
  }
  run.run(blocks);
}

search_outcome run_ranked_search(const runtime::model& model, const search_plan& plan, search_state& state,
                                 const ranked_options& options, const search_progress& progress) {
  local_workers workers(model, plan);
  search_run run(model.config, plan, state, workers, progress);
  run_ranked_search(run, options);
  return std::move(run).finish();
}

std::string ranked_record(const std::string& select, const std::string& objective, double budget) {
  std::array<char, 32> text;
  const std::to_chars_result end = std::to_chars(text.data(), text.data() + text.size(), budget);
  return "ranked for " + select + " by " + objective + " within " + std::string(text.data(), end.ptr);
}

}  // namespace act::search
