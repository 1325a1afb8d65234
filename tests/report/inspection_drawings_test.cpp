// Inspection's drawings, by what stands in their XML.
#include <act/inspection/average_maps.hpp>
#include <act/inspection/summary.hpp>
#include <act/report/pages/inspection_drawings.hpp>

#include <doctest/doctest.h>
#include <pugixml.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "report/inspection_example.hpp"

namespace {

std::size_t count(const act::report::drawing& drawn, const std::string& path) {
  pugi::xml_document document;
  const std::string file = drawn.file();
  const pugi::xml_parse_result result = document.load_string(file.c_str(), pugi::parse_full);
  REQUIRE_MESSAGE(result, result.description());
  return document.select_nodes(path.c_str()).size();
}

}  // namespace

TEST_CASE("heads: a cell for each head in both panels, with its colour, its number and its name") {
  const auto summary = act::inspection::summarise(act_test::example_prompt());
  const auto drawn = act::report::heads_drawing(summary, "M <1>");
  CHECK(drawn.title() == "M <1>");
  CHECK(count(drawn, "//rect[title]") == 8);
  // Head (1, 0) has 52.5 % on its sinks: level 20 sqrt(0.525) = 14.
  CHECK(count(drawn, "//rect[@class='s14'][title='layer 1, head 0: 52.5 %']") == 1);
  CHECK(count(drawn, "//rect[@class='s0'][title='layer 0, head 0: 0.0 %']") == 1);
  CHECK(count(drawn, "//rect[title='layer 1, head 1: 50.0 %']") == 1);
  CHECK(count(drawn, "//text[.='50']") == 4);
  CHECK(count(drawn, "//text[contains(., 'on sinks')]") == 1);
  CHECK(count(drawn, "//text[contains(., 'rows are layers')]") == 1);  // the legend
}

TEST_CASE("scores and places: a column for each bin and kind, as high as its share") {
  act::inspection::inspection_summary summary = act::inspection::summarise(act_test::example_prompt());
  summary.scores.first[9] = 4;
  summary.scores.sinks[6] = 3;
  summary.scores.sinks[7] = 1;
  summary.scores.others[0] = 10;
  const auto scores = act::report::scores_drawing(summary, "t");
  CHECK(count(scores, "//rect[title]") == 3 * 12);
  CHECK(count(scores, "//rect[@height='150'][title='first token, to 100: 100.0 %']") == 1);
  CHECK(count(scores, "//rect[@height='112.5'][title='sinks, to 10: 75.0 %']") == 1);
  CHECK(count(scores, "//rect[@height='0'][title='other tokens, > 200: 0.0 %']") == 1);
  CHECK(count(scores, "//text[.='other tokens']") == 1);
  summary.tenths = {};
  summary.tenths[9] = 3;
  summary.tenths[0] = 1;
  const auto places = act::report::places_drawing(summary, "t");
  CHECK(count(places, "//rect[title]") == 10);
  CHECK(count(places, "//rect[@height='150'][title='sinks, 90-100: 75.0 %']") == 1);
}

TEST_CASE("maps: before, after and difference with sinks and tokens, each with its legend") {
  const act::inspection::prompt_observation prompt = act_test::example_prompt();
  const auto before = act::inspection::mean_of(std::span(prompt.pictures).first(1));
  const auto after = act::inspection::mean_of(std::span(prompt.calibrated).first(1));
  const auto drawn = act::report::maps_drawing(
      before, after, {.title = "t", .sinks = {1, 4}, .tokens = {"a", "<b>", "c", "d", "e"}});
  CHECK(count(drawn, "//text[.='before']") == 1);
  CHECK(count(drawn, "//text[.='after calibration']") == 1);
  CHECK(count(drawn, "//text[.='difference']") == 1);
  CHECK(count(drawn, "//rect[@class='mark'][title='sink: <b>']") == 3);
  CHECK(count(drawn, "//text[.='<b>']") == 4);
  // Rows give half to the first token and half to themselves, then three quarters and one.
  CHECK(count(drawn, "//g[1]/path[@class='s14'][starts-with(@d, 'M0 1h2')]") == 1);
  CHECK(count(drawn, "//g[2]/path[@class='s17']") == 1);
  CHECK(count(drawn, "//g[2]/path[@class='s10']") == 1);
  CHECK(count(drawn, "//g[3]/path[@class='m7'][starts-with(@d, 'M0 1h1')]") == 1);
  CHECK(count(drawn, "//g[3]/path[@class='l7'][starts-with(@d, 'M1 1h1')]") == 1);
  CHECK(count(drawn, "//text[contains(., 'rows attend to columns')]") == 1);
  CHECK(count(drawn, "//text[contains(., 'less or more')]") == 1);

  const auto alone = act::report::maps_drawing(before, {}, {.title = "t"});
  CHECK(count(alone, "//g") == 1);
  CHECK(count(alone, "//text[.='difference']") == 0);
}

TEST_CASE("layers: a map for each") {
  const std::vector<act::inspection::averaged_map> layers(7,
                                                          {.side = 2, .shares = {1.0F, 0.0F, 0.25F, 0.75F}});
  const auto drawn = act::report::layers_drawing(layers, "t");
  CHECK(count(drawn, "//g") == 7);
  CHECK(count(drawn, "//text[starts-with(., 'layer ')]") == 7);
  CHECK(count(drawn, "//path[@class='s10']") == 7);
}
