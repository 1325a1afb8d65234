// A suite's drawings, by what stands in their XML, and heads files as searches.
#include <act/error.hpp>
#include <act/search/heads_file.hpp>
#include <act/suite/suite_drawings.hpp>

#include <doctest/doctest.h>
#include <pugixml.hpp>

#include <cstddef>
#include <string>

#include "message_of.hpp"

namespace {

std::size_t count(const act::report::drawing& drawn, const std::string& path) {
  pugi::xml_document document;
  const std::string file = drawn.file();
  const pugi::xml_parse_result result = document.load_string(file.c_str(), pugi::parse_full);
  REQUIRE_MESSAGE(result, result.description());
  return document.select_nodes(path.c_str()).size();
}

act::search::heads_file heads_of(const std::string& evidence) {
  return act::search::parse_heads_file(
      R"({"format": "act-heads", "version": 1, "model": {"architecture": "llama", "layers": 3, "heads": 2},
          "heads": [[2, 0]], "evidence": )" +
          evidence + "}",
      "heads.json");
}

constexpr const char* trials = R"({"baseline": {"n": 40}, "trials": [
  {"layer": 1, "head": 0, "net": 0, "log_likelihood_gain": 0.0},
  {"layer": 1, "head": 1, "strength": 0.2, "net": -5, "log_likelihood_gain": -0.01},
  {"layer": 1, "head": 1, "strength": 0.4, "net": -2, "log_likelihood_gain": -0.02},
  {"layer": 2, "head": 0, "net": 4, "log_likelihood_gain": 0.125},
  {"layer": 9, "head": 0, "net": 100, "log_likelihood_gain": 0.5}]})";

}  // namespace

TEST_CASE("accuracy: a dot and an interval for each way, the plain one's through all") {
  act::suite::suite_result result;
  result.model = "M <1>";
  result.task = "sst2";
  result.kind = "classification";
  result.n = 8;
  for (const double accuracy : {0.5, 0.625}) {
    act::suite::way_result& way = result.ways.emplace_back();
    way.method = accuracy == 0.5 ? "plain" : "ACT with a name that is long, é";
    way.heads = accuracy == 0.5 ? 0 : 2;
    way.summary.accuracy = accuracy;
    way.summary.ci95 = {.lo = accuracy - 0.25, .hi = accuracy + 0.25};
  }
  const auto drawn = act::suite::accuracy_drawing(result);
  CHECK(drawn.title() == "M <1>, sst2, 0 shots (n 8)");
  CHECK(count(drawn, "//circle") == 2);
  CHECK(count(drawn, "//line[@class='interval']") == 2);
  CHECK(count(drawn, "//line[@class='plain'][@x1=@x2]") == 1);
  CHECK(count(drawn, "//line[@class='interval'][@x1='207.5'][@x2='322.5']") == 1);  // 25 .. 75 %
  CHECK(count(drawn,
              "//circle[@class='ink'][@cx='265'][title='plain: 50.0 %, 95 % interval 25.0 .. 75.0']") == 1);
  CHECK(count(drawn, "//circle[@class='heads'][title[contains(., '62.5 %')]]") == 1);
  CHECK(count(drawn, "//text[.='ACT with a name that is …']") == 1);
  CHECK(count(drawn, "//text[contains(., '95 % intervals')]") == 1);
}

TEST_CASE("gains: a cell for each head that was searched, its best strength, the chosen ones framed") {
  const auto search = act::suite::searched_heads_of(heads_of(trials), "", "heads.json", "");
  CHECK(search.samples == 40);
  CHECK(search.trials.size() == 4);  // no head outside the model
  const auto drawn = act::suite::gains_drawing(search);
  CHECK(drawn.title() == "heads.json");
  CHECK(count(drawn, "//rect[title]") == 3);
  // The strongest change is -5: 4 is level 8 of 10, -2 level -4.
  CHECK(count(drawn, "//rect[@class='m8'][title='layer 2, head 0: net +4, log-likelihood +0.1250']") == 1);
  CHECK(count(drawn, "//rect[@class='l4'][title='layer 1, head 1: net -2, log-likelihood -0.0200']") == 1);
  CHECK(count(drawn, "//rect[@class='picked']") == 1);
  CHECK(count(drawn, "//text[.='·']") == 3);
  CHECK(count(drawn, "//text[.='+5']") == 1);
  CHECK(act::suite::gains_remark(search) ==
        "1 of 3 heads gain samples (33.3 %), 1 lose some; from -2 (layer 1, head 1) to +4 (layer 2, head 0) "
        "of 40");
}

TEST_CASE("a heads file without evidence has no trials, one with other evidence is refused") {
  CHECK(act::suite::searched_heads_of(heads_of("{}"), "", "x", "").trials.empty());
  CHECK(act_test::message_of([] {
          (void)act::suite::searched_heads_of(heads_of(R"({"trials": [{"layer": "one"}]})"), "", "x.json",
                                              "");
        }).find("x.json: has evidence that isn't as act-search writes it") == 0);
  CHECK_THROWS_AS((void)act::suite::searched_heads_of(heads_of(R"({"baseline": 3})"), "", "x", ""),
                  act::error);
}
