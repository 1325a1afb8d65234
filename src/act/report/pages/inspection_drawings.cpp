#include <act/inspection/average_maps.hpp>
#include <act/inspection/summary.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/inspection_drawings.hpp>
#include <act/report/pages/picture_colours.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

namespace act::report {

namespace {

using inspection::averaged_map;
using inspection::head_summary;
using inspection::inspection_summary;

constexpr double top = drawing::title_height;

// Which colour is which share, as a bar `width` wide.
void share_scale(drawing& on, double x, double y, double width, std::string_view of) {
  const double step = width / (share_levels + 1);
  for (int level = 0; level <= share_levels; ++level)
    on.box(x + level * step, y, step + 0.2, 8, share_class(level));
  on.box(x, y, width, 8, "frame");
  for (const double share : {0.0, 0.01, 0.0625, 0.25, 0.5625, 1.0}) {
    const int level = share_level(share);
    on.text(x + (level + 0.5) * step, y + 19, formatted("%.0f", 100 * share), text_side::around, "quiet");
  }
  on.text(x, y + 32, of, text_side::right_of, "quiet");
}

void change_scale(drawing& on, double x, double y, double width) {
  const double step = width / (2 * change_levels + 1);
  for (int level = -change_levels; level <= change_levels; ++level)
    on.box(x + (level + change_levels) * step, y, step + 0.2, 8, change_class(level));
  on.box(x, y, width, 8, "frame");
  for (const double change : {-0.5, -0.125, -0.02, 0.0, 0.02, 0.125, 0.5}) {
    const int level = change_level(change);
    on.text(x + (level + change_levels + 0.5) * step, y + 19,
            change == 0 ? "0" : formatted("%+.3g", 100 * change), text_side::around, "quiet");
  }
  on.text(x, y + 32, "points of a row's attention, less or more", text_side::right_of, "quiet");
}

void heads_panel(drawing& on, double left, double cell, const inspection_summary& summary,
                 const std::string& title, double head_summary::*share) {
  constexpr double row = 15;
  on.text(left, top + 12, title);
  for (std::size_t head = 0; head < summary.heads; ++head) {
    on.text(left + (static_cast<double>(head) + 0.5) * cell, top + 28, std::to_string(head),
            text_side::around, "quiet");
  }
  for (std::size_t layer = 0; layer < summary.layers; ++layer) {
    const double y = top + 33 + row * static_cast<double>(layer);
    on.text(left - 6, y + 11, std::to_string(layer), text_side::left_of, "quiet");
    for (std::size_t head = 0; head < summary.heads; ++head) {
      const double value = summary.at(layer, head).*share, x = left + static_cast<double>(head) * cell;
      const int level = share_level(value);
      on.box(x, y, cell - 1, row - 1, share_class(level),
             "layer " + std::to_string(layer) + ", head " + std::to_string(head) + ": " + percent(value));
      if (value > 0) {
        on.text(x + (cell - 1) / 2, y + 10.5, formatted("%.0f", 100 * value), text_side::around,
                "small t" + std::to_string(level));
      }
    }
  }
}

// Columns of a chart: each place's values side by side, as shares of the largest.
struct chart_series {
  std::string name;
  std::string classes;
  std::vector<double> shares;
};

drawing column_chart(const std::string& title, const std::vector<std::string>& places,
                     const std::vector<chart_series>& series, const std::string& below,
                     const std::string& of) {
  constexpr double left = 46, height = 150;
  const double group = std::max(42.0, 16 + 9.0 * static_cast<double>(series.size()));
  const double width = group * static_cast<double>(places.size());
  double most = 0.01;
  for (const chart_series& each : series) {
    for (const double share : each.shares)
      most = std::max(most, share);
  }
  const double step = most > 0.5 ? 0.2 : most > 0.2 ? 0.1 : most > 0.05 ? 0.05 : 0.01;
  drawing made(title, std::max(left + width + 20, 420.0), top + height + 70);
  const double foot = top + 12 + height;
  const auto y = [&](double share) { return foot - height * share / most; };
  for (double share = 0; share <= most + 1e-9; share += step) {
    made.line(left, y(share), left + width, y(share));
    made.text(left - 6, y(share) + 4, formatted("%.0f", 100 * share), text_side::left_of, "quiet");
  }
  const double bar = (group - 8) / static_cast<double>(series.size());
  for (std::size_t place = 0; place < places.size(); ++place) {
    const double x = left + group * static_cast<double>(place) + 4;
    for (std::size_t i = 0; i < series.size(); ++i) {
      const double share = series[i].shares[place];
      made.box(x + bar * static_cast<double>(i), y(share), bar - 1, foot - y(share), series[i].classes,
               series[i].name + ", " + places[place] + ": " + percent(share));
    }
    made.text(x + (group - 8) / 2, foot + 14, places[place], text_side::around, "quiet");
  }
  made.text(left, foot + 30, below, text_side::right_of, "quiet");
  double x = left;
  for (const chart_series& each : series) {
    made.box(x, foot + 38, 10, 10, each.classes);
    made.text(x + 14, foot + 47, each.name);
    x += 28 + 7 * static_cast<double>(each.name.size());
  }
  made.text(x, foot + 47, of, text_side::right_of, "quiet");
  return made;
}

std::vector<double> shares_of(std::span<const std::size_t> counts) {
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  std::vector<double> shares;
  for (const std::size_t count : counts)
    shares.push_back(all > 0 ? static_cast<double>(count) / all : 0);
  return shares;
}

void map_panel(drawing& on, double x, double y, double size, const averaged_map& map) {
  on.cells(x, y, size, map.side, [&](std::size_t row, std::size_t column) {
    const int level = column <= row ? share_level(static_cast<double>(map.share(row, column))) : 0;
    return level > 0 ? share_class(level) : std::string();
  });
  on.box(x, y, size, size, "frame");
}

}  // namespace

drawing heads_drawing(const inspection_summary& summary, const std::string& title) {
  const double cell = summary.heads > 16 ? 16 : 22, panel = cell * static_cast<double>(summary.heads);
  const double left = 40, right = left + std::max(panel, 220.0) + 46;
  const double height = top + 33 + 15 * static_cast<double>(summary.layers);
  drawing made(title, right + std::max(panel, 220.0) + 16, height + 52);
  heads_panel(made, left, cell, summary, "on sinks, % of a head's attention", &head_summary::sink_mass);
  heads_panel(made, right, cell, summary, "on the first token, %", &head_summary::first_mass);
  share_scale(made, left, height + 12, 220, "% of a head's attention; rows are layers, columns heads");
  return made;
}

drawing scores_drawing(const inspection_summary& summary, const std::string& title) {
  const auto& edges = inspection::score_histogram::edges;
  std::vector<std::string> places;
  for (const double edge : edges)
    places.push_back(formatted("to %g", edge));
  places.push_back(formatted("> %g", edges.back()));
  return column_chart(title, places,
                      {{"first token", "s17", shares_of(summary.scores.first)},
                       {"sinks", "mark", shares_of(summary.scores.sinks)},
                       {"other tokens", "quiet", shares_of(summary.scores.others)}},
                      "score in multiples of 1 / N", "% of each kind's tokens, in all heads");
}

drawing places_drawing(const inspection_summary& summary, const std::string& title) {
  std::vector<std::string> places;
  for (int tenth = 0; tenth < 10; ++tenth)
    places.push_back(std::to_string(10 * tenth) + "-" + std::to_string(10 * tenth + 10));
  return column_chart(title, places, {{"sinks", "mark", shares_of(summary.tenths)}},
                      "where in its prompt a sink stands, %", "% of all sinks");
}

drawing maps_drawing(const averaged_map& before, const averaged_map& after, const map_labels& labels) {
  constexpr double size = 250, gap = 30;
  const bool changes = after.side > 0;
  // Names of tokens stand left of the first map and below each.
  const double longest = [&] {
    std::size_t characters = 0;
    for (const std::string& token : labels.tokens)
      characters = std::max(characters, token.size());
    return labels.tokens.empty() ? 0.0 : std::min(90.0, 6 + 4.4 * static_cast<double>(characters));
  }();
  const double left = 14 + longest, y = top + 26;
  const double foot = y + size + longest;
  drawing made(labels.title, left + (changes ? 3 * size + 2 * gap : size) + 16, foot + 56);
  const auto panel = [&](double x, const std::string& name) {
    made.text(x, y - 12, name);
    const double pixel = size / static_cast<double>(before.side);
    for (const std::size_t sink : labels.sinks) {
      made.box(x + pixel * static_cast<double>(sink), y - 7, std::max(pixel, 1.5), 5, "mark",
               "sink" + (labels.tokens.empty() ? std::string() : ": " + labels.tokens[sink]));
    }
    for (std::size_t i = 0; i < labels.tokens.size(); ++i) {
      const double middle = (static_cast<double>(i) + 0.5) * pixel + 2.5;
      made.upright_text(x + middle, y + size + 4, labels.tokens[i], "quiet small");
      if (x == left) made.text(x - 4, y + middle, labels.tokens[i], text_side::left_of, "quiet small");
    }
  };
  panel(left, labels.before);
  map_panel(made, left, y, size, before);
  share_scale(made, left, foot + 12, size, "% of a row's attention; rows attend to columns");
  if (!changes) return made;
  const double second = left + size + gap, third = second + size + gap;
  panel(second, labels.after);
  map_panel(made, second, y, size, after);
  panel(third, "difference");
  made.cells(third, y, size, before.side, [&](std::size_t row, std::size_t column) {
    const double change =
        static_cast<double>(after.share(row, column)) - static_cast<double>(before.share(row, column));
    const int level = column <= row ? change_level(change) : 0;
    return level != 0 ? change_class(level) : std::string();
  });
  made.box(third, y, size, size, "frame");
  change_scale(made, third, foot + 12, size);
  return made;
}

drawing layers_drawing(std::span<const averaged_map> layers, const std::string& title) {
  constexpr std::size_t in_row = 6;
  constexpr double size = 120, step_x = size + 12, step_y = size + 26;
  const std::size_t columns = std::max<std::size_t>(3, std::min(in_row, layers.size()));
  const std::size_t rows = (layers.size() + columns - 1) / columns;
  drawing made(title, 14 + step_x * static_cast<double>(columns),
               top + step_y * static_cast<double>(rows) + 56);
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const std::size_t row = layer / columns;
    const double x = 14 + step_x * static_cast<double>(layer % columns);
    const double y = top + 18 + step_y * static_cast<double>(row);
    made.text(x, y - 5, "layer " + std::to_string(layer));
    map_panel(made, x, y, size, layers[layer]);
  }
  share_scale(made, 14, top + step_y * static_cast<double>(rows) + 12, 250,
              "% of a row's attention; rows attend to columns");
  return made;
}

}  // namespace act::report
