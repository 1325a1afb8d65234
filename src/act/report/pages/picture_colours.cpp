#include <act/report/pages/picture_colours.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>

namespace act::report {

namespace {

using rgb = std::array<int, 3>;

struct palette {
  std::array<rgb, 5> shares;   // from none to all
  std::array<rgb, 5> changes;  // from less over none to more
  int readable_up_to;          // levels of shares on which text has the paper's own ink
  int readable_changes;        // the same of changes, either way
  const char* ink;
  const char* other_ink;
};

// White over orange to dark red; dark paper turns it around. Less is blue, more is brown or orange: not red
// and green, which many can't tell apart.
constexpr palette light{
    .shares = {{{255, 255, 255}, {253, 212, 158}, {252, 141, 89}, {215, 48, 31}, {91, 0, 0}}},
    .changes = {{{5, 48, 97}, {67, 147, 195}, {255, 255, 255}, {244, 165, 66}, {127, 59, 8}}},
    .readable_up_to = 10,
    .readable_changes = 6,
    .ink = "#222",
    .other_ink = "#fff"};
constexpr palette dark{
    .shares = {{{22, 24, 27}, {92, 34, 30}, {176, 60, 32}, {244, 140, 66}, {255, 240, 205}}},
    .changes = {{{150, 210, 255}, {40, 105, 165}, {22, 24, 27}, {160, 88, 24}, {255, 205, 130}}},
    .readable_up_to = 11,
    .readable_changes = 6,
    .ink = "#e4e4e4",
    .other_ink = "#111"};

// `at`: from 0, the first stop, to 1, the last one.
rgb mixed(std::span<const rgb> stops, double at) {
  const double place = std::clamp(at, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  rgb colour{};
  for (std::size_t k = 0; k < 3; ++k) {
    colour[k] = static_cast<int>(
        std::lround(stops[i][k] + (place - static_cast<double>(i)) * (stops[i + 1][k] - stops[i][k])));
  }
  return colour;
}

std::string hex(const rgb& colour) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", static_cast<unsigned>(colour[0]) & 255U,
                static_cast<unsigned>(colour[1]) & 255U, static_cast<unsigned>(colour[2]) & 255U);
  return text;
}

double share_place(double share) noexcept {
  return std::sqrt(std::clamp(share, 0.0, 1.0));
}

// -1 .. 1.
double change_place(double change) noexcept {
  return std::copysign(std::sqrt(std::min(1.0, 2 * std::abs(change))), change);
}

std::string classes(const palette& of) {
  std::string css;
  for (int level = 0; level <= share_levels; ++level) {
    const std::string colour = hex(mixed(of.shares, static_cast<double>(level) / share_levels));
    const std::string ink = level <= of.readable_up_to ? of.ink : of.other_ink;
    css += "." + share_class(level) + "{background:" + colour + ";fill:" + colour + ";color:" + ink + "} .t" +
           std::to_string(level) + "{fill:" + ink + "}\n";
  }
  for (int level = -change_levels; level <= change_levels; ++level) {
    const std::string colour = hex(mixed(of.changes, 0.5 + 0.5 * level / change_levels));
    const std::string ink = std::abs(level) <= of.readable_changes ? of.ink : of.other_ink;
    css += "." + change_class(level) + "{background:" + colour + ";fill:" + colour + ";color:" + ink + "}\n";
    if (level >= 0) css += "." + on_change_class(level) + "{fill:" + ink + "}\n";
  }
  return css;
}

io::json_document stops_json(std::span<const rgb> stops) {
  auto all = io::json_document::array();
  for (const rgb& stop : stops)
    all.push_back(io::json_document::array({stop[0], stop[1], stop[2]}));
  return all;
}

io::json_document palette_json(const palette& of) {
  return io::json_document::object({{"shares", stops_json(of.shares)}, {"changes", stops_json(of.changes)}});
}

}  // namespace

int share_level(double share) noexcept {
  return static_cast<int>(std::lround(share_levels * share_place(share)));
}

int change_level(double change) noexcept {
  return static_cast<int>(std::lround(change_levels * change_place(change)));
}

std::string share_class(int level) {
  return "s" + std::to_string(level);
}

std::string change_class(int level) {
  return (level < 0 ? "l" : "m") + std::to_string(std::abs(level));
}

std::string on_change_class(int level) {
  return "c" + std::to_string(std::abs(level));
}

std::string light_picture_classes() {
  return classes(light);
}

std::string picture_classes() {
  return classes(light) + "@media (prefers-color-scheme: dark) {\n" + classes(dark) + "}\n";
}

io::json_document picture_palettes() {
  return io::json_document::object({{"light", palette_json(light)}, {"dark", palette_json(dark)}});
}

}  // namespace act::report
