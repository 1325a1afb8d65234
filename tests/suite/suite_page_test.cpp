// A suite's page: what stands in it, that nothing in it comes from elsewhere, and, where Chromium is
// installed, what a browser makes of it.
#include <doctest/doctest.h>
#include <act/suite/suite_page.hpp>

#include <cstddef>
#include <string>

#include "chromium.hpp"

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

// Two ways on one task, and a search of two layers of a model of three.
act::suite::suite_results example() {
  act::suite::suite_results all;
  act::suite::suite_result result;
  result.model = "A <b>&\"";
  result.task = result.task_of = "sst2";
  result.kind = "classification";
  result.n = 8;
  result.wanted = 10;
  for (const double accuracy : {0.5, 0.625}) {
    act::suite::way_result& way = result.ways.emplace_back();
    way.method = accuracy == 0.5 ? "plain" : "ACT";
    way.heads = accuracy == 0.5 ? 0 : 2;
    way.summary.accuracy = accuracy;
    way.summary.ci95 = {.lo = accuracy - 0.25, .hi = accuracy + 0.25};
    if (way.heads > 0) way.difference.emplace().accuracy = 0.125;
  }
  all.results.push_back(result);
  act::suite::searched_heads search;
  search.model = result.model;
  search.name = "ACT";
  search.layers = 3;
  search.heads = 2;
  search.samples = 20;
  for (std::size_t layer = 1; layer < 3; ++layer) {
    for (std::size_t head = 0; head < 2; ++head) {
      search.trials.push_back({.layer = layer,
                               .head = head,
                               .net = static_cast<long long>(layer) - 2 * static_cast<long long>(head),
                               .log_likelihood_gain = 0.01,
                               .picked = layer == 2 && head == 0});
    }
  }
  all.searches.push_back(search);
  all.builds.emplace_back(R"({"version":"<1>"})");
  return all;
}

}  // namespace

TEST_CASE("the page holds charts, tables and heat maps, and loads nothing") {
  const std::string page = act::suite::suite_page(example(), "Results </title><script>");
  CHECK(page.find("default-src 'none'; style-src 'unsafe-inline'") != std::string::npos);
  for (const char* absent :
       {"<script", "http://", "https://", "src=", "url(", "@import", "javascript:", "<b>"}) {
    CAPTURE(absent);
    CHECK(page.find(absent) == std::string::npos);
  }
  CHECK(page.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(page.find("width=device-width") != std::string::npos);
  CHECK(count_of(page, "<circle") == 2);
  CHECK(page.find("ACT: 62.5 %, 95 % interval 37.5 .. 87.5") != std::string::npos);
  CHECK(page.find("8 of 10 samples so far") != std::string::npos);
  CHECK(page.find("A &lt;b&gt;&amp;&quot;, sst2, 0 shots (n 8)") != std::string::npos);
  CHECK(count_of(page, "class=\"picked\"") == 1);
  CHECK(
      page.find("2 of 4 heads gain samples (50.0 %), 1 lose some; from -1 (layer 1, head 1) to +2 (layer 2, "
                "head 0) of 20") != std::string::npos);
  CHECK(page.find("layer 2, head 0: net +2, log-likelihood +0.0100") != std::string::npos);
  CHECK(page.find("Improv.") != std::string::npos);
}

TEST_CASE("what a browser makes of the page") {
  if (!act_test::has_chromium()) {
    MESSAGE("[skipped] chromium isn't installed");
    return;
  }
  const std::string dom = act_test::dom_of(act::suite::suite_page(example(), "Results"));
  CHECK(dom.find("<title>Results</title>") != std::string::npos);
  // Nothing was left open or moved elsewhere: as many of each as were written.
  CHECK(count_of(dom, "<figure>") == 2);
  CHECK(count_of(dom, "<circle ") == 2);
  CHECK(count_of(dom, "<table") == 2);
  CHECK(count_of(dom, "<thead>") == 2);
  CHECK(count_of(dom, "class=\"picked\"") == 1);
  CHECK(count_of(dom, "</svg>\n</figure>") == 2);
}
