#include <act/report/number_text.hpp>
#include <act/report/pages/picture_colours.hpp>
#include <act/report/table.hpp>
#include <act/statistics/intervals.hpp>
#include <act/suite/suite_drawings.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

namespace act::suite {

namespace {

using report::drawing;
using report::formatted;
using report::text_side;

constexpr double top = drawing::title_height;

// At most `most` bytes, never half a character.
std::string shortened(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U)
    --end;
  return name.substr(0, end) + "…";
}

std::string place(const searched_heads::trial& trial) {
  return "layer " + std::to_string(trial.layer) + ", head " + std::to_string(trial.head);
}

// Of several strengths of a head the one that gains most: [layer * heads + head].
std::vector<const searched_heads::trial*> best_trials(const searched_heads& search) {
  std::vector<const searched_heads::trial*> best(search.layers * search.heads, nullptr);
  for (const searched_heads::trial& trial : search.trials) {
    const searched_heads::trial*& one = best[trial.layer * search.heads + trial.head];
    if (one == nullptr || trial.net > one->net) one = &trial;
  }
  return best;
}

}  // namespace

drawing accuracy_drawing(const suite_result& result) {
  constexpr double left = 150, width = 230, right = 46, line = 18, y0 = top + 6;
  const bool generated = result.kind == "generated";
  const double below = y0 + line * static_cast<double>(result.ways.size());
  drawing made(result.model + ", " + result.task + ", " + std::to_string(result.shots) + " shots (n " +
                   std::to_string(result.n) + (generated ? ", exact match" : "") + ")",
               left + width + right, below + 38);
  const auto x = [&](double share) { return left + width * std::clamp(share, 0.0, 1.0); };
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    made.line(x(share), y0, x(share), below);
    made.text(x(share), below + 13, formatted("%.0f", 100 * share), text_side::around, "quiet");
  }
  const auto value_of = [&](const way_result& way) {
    return generated ? way.answers.all.exact_match : way.summary.accuracy;
  };
  made.line(x(value_of(result.ways.front())), y0, x(value_of(result.ways.front())), below, "plain");
  double y = y0 + line / 2;
  for (const way_result& way : result.ways) {
    const statistics::interval& interval = generated ? way.answers.all.exact_match_ci95 : way.summary.ci95;
    const double value = value_of(way);
    made.text(left - 8, y + 4, shortened(way.name(), 25), text_side::left_of);
    made.line(x(interval.lo), y, x(interval.hi), y, "interval");
    made.dot(
        x(value), y, 3.5,
        way.heads > 0                  ? "heads"
        : &way == &result.ways.front() ? "ink"
                                       : "quiet",
        way.name() + ": " + report::percent(value) + ", 95 % interval " + report::percent_range(interval));
    made.text(left + width + 8, y + 4, formatted("%.1f", 100 * value), text_side::right_of, "quiet");
    y += line;
  }
  made.text(left, below + 29, "per cent, 95 % intervals; dashed: plain", text_side::right_of, "quiet");
  return made;
}

std::string name_of(const searched_heads& search) {
  return search.name + (search.task.empty() ? "" : ", " + search.task);
}

drawing gains_drawing(const searched_heads& search) {
  constexpr double left = 40, row = 16, y0 = top + 18;
  const double cell = search.heads > 16 ? 18 : 24;
  const std::vector<const searched_heads::trial*> cells = best_trials(search);
  long long most = 1;
  for (const searched_heads::trial& trial : search.trials)
    most = std::max(most, std::llabs(trial.net));
  const double below = y0 + row * static_cast<double>(search.layers);
  drawing made((search.model.empty() ? "" : search.model + ", ") + name_of(search),
               std::max(left + cell * static_cast<double>(search.heads) + 16, 420.0), below + 66);
  for (std::size_t head = 0; head < search.heads; ++head) {
    made.text(left + (static_cast<double>(head) + 0.5) * cell, y0 - 4, std::to_string(head),
              text_side::around, "quiet");
  }
  for (std::size_t layer = 0; layer < search.layers; ++layer) {
    const double y = y0 + row * static_cast<double>(layer);
    made.text(left - 6, y + 11.5, std::to_string(layer), text_side::left_of, "quiet");
    for (std::size_t head = 0; head < search.heads; ++head) {
      const searched_heads::trial* const trial = cells[layer * search.heads + head];
      const double x = left + static_cast<double>(head) * cell;
      if (trial == nullptr) {
        made.text(x + cell / 2, y + 11.5, "·", text_side::around, "quiet");
        continue;
      }
      const double share = static_cast<double>(trial->net) / static_cast<double>(most);
      const int level = static_cast<int>(std::lround(report::change_levels * share));
      made.box(x, y, cell - 1, row - 1, report::change_class(level),
               place(*trial) + ": net " + formatted("%+.0f", static_cast<double>(trial->net)) +
                   ", log-likelihood " + formatted("%+.4f", trial->log_likelihood_gain));
      made.text(x + (cell - 1) / 2, y + 11, std::to_string(trial->net), text_side::around,
                report::on_change_class(level));
      if (trial->picked) made.box(x + 0.5, y + 0.5, cell - 2, row - 2, "picked");
    }
  }
  constexpr double step = 220.0 / (2 * report::change_levels + 1);
  for (int level = -report::change_levels; level <= report::change_levels; ++level) {
    made.box(left + (level + report::change_levels) * step, below + 10, step + 0.2, 8,
             report::change_class(level));
  }
  made.box(left, below + 10, 220, 8, "frame");
  made.text(left, below + 30, std::to_string(-most), text_side::right_of, "quiet");
  made.text(left + 110, below + 30, "0", text_side::around, "quiet");
  made.text(left + 220, below + 30, "+" + std::to_string(most), text_side::left_of, "quiet");
  made.text(left, below + 44,
            "samples gained less lost with this head alone calibrated, of " + std::to_string(search.samples),
            text_side::right_of, "quiet");
  made.text(left, below + 58, "rows are layers, columns heads; framed: chosen", text_side::right_of, "quiet");
  return made;
}

std::string gains_text(const searched_heads& search) {
  std::vector<std::string> header{"layer"};
  for (std::size_t head = 0; head < search.heads; ++head)
    header.push_back(std::to_string(head));
  report::text_table table(header);
  const std::vector<const searched_heads::trial*> cells = best_trials(search);
  for (std::size_t layer = 0; layer < search.layers; ++layer) {
    std::vector<std::string> row{std::to_string(layer)};
    for (std::size_t head = 0; head < search.heads; ++head) {
      const searched_heads::trial* const trial = cells[layer * search.heads + head];
      row.push_back(trial == nullptr ? "-" : (trial->picked ? "*" : "") + std::to_string(trial->net));
    }
    table.add(std::move(row));
  }
  return table.str();
}

std::string gains_remark(const searched_heads& search) {
  std::size_t heads = 0, gain = 0, lose = 0;
  const searched_heads::trial* best = nullptr;
  const searched_heads::trial* worst = nullptr;
  for (const searched_heads::trial* const trial : best_trials(search)) {
    if (trial == nullptr) continue;
    ++heads;
    gain += trial->net > 0 ? 1 : 0;
    lose += trial->net < 0 ? 1 : 0;
    if (best == nullptr || trial->net > best->net) best = trial;
    if (worst == nullptr || trial->net < worst->net) worst = trial;
  }
  const auto end = [](const searched_heads::trial& trial) {
    return formatted("%+.0f", static_cast<double>(trial.net)) + " (" + place(trial) + ")";
  };
  return std::to_string(gain) + " of " + std::to_string(heads) + " heads gain samples (" +
         report::percent(static_cast<double>(gain) / static_cast<double>(heads)) + "), " +
         std::to_string(lose) + " lose some; from " + end(*worst) + " to " + end(*best) + " of " +
         std::to_string(search.samples);
}

}  // namespace act::suite
