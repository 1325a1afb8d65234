// The HTML page: self-contained, small, and hostile tokens stay text.
#include <act/inspection/average_maps.hpp>
#include <act/report/pages/inspection_page.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/inspection_example.hpp"

namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

nlohmann::json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

std::vector<std::uint8_t> decoded(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t group = 0;
    int known = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      group <<= 6;
      if (text[at + i] == '=') continue;
      group |= static_cast<std::uint32_t>(digits.find(text[at + i]));
      ++known;
    }
    for (int i = 0; i < known - 1; ++i)
      bytes.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * i) & 255));
  }
  return bytes;
}

void check_is_closed(const std::string& page) {
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  CHECK(count(page, "<script") == 2);
  CHECK(count(page, "</script>") == 2);
  CHECK(count(page, "<img") == 0);
  CHECK(page.find('\x1b') == std::string::npos);
  for (const char* loads :
       {"http:", "https:", "src=\"", "href=", "url(", "@import", "fetch(", "innerHTML", "eval("})
    CHECK(count(page, loads) == 0);
  CHECK(page.find("default-src 'none'") != std::string::npos);
}

}  // namespace

TEST_CASE("a prompt's page holds every map, and its hostile tokens as text only") {
  const auto by = act_test::hostile_tokenizer();
  const act::inspection::prompt_observation prompt = act_test::example_prompt();
  const std::string page = act::report::inspection_page(
      {.title = "<model> & \"co\"", .lines = {"</p><script>1</script>", "second"}},
      act::inspection::summarise(prompt), prompt, by, 10, {.text = "<how>"});
  check_is_closed(page);
  CHECK(count(page, "onerror=alert(1)") == 0);  // cut in tables and in the data alike
  CHECK(page.find("<title>&lt;model&gt; &amp; &quot;co&quot;</title>") != std::string::npos);
  CHECK(page.find("&lt;/p&gt;&lt;script&gt;1&lt;/script&gt;") != std::string::npos);
  CHECK(count(page, "<td data-l=") == 8);
  CHECK(count(page, "<th data-l=") == 6);  // two layers and the corner, twice
  CHECK(page.find("After: &lt;how&gt;") != std::string::npos);
  CHECK(count(page, "<canvas") == 4);
  CHECK(count(page, "<svg") == 2);
  CHECK(page.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(page.find("width=device-width") != std::string::npos);

  const nlohmann::json data = data_of(page);
  CHECK(data["per"] == "head");
  CHECK(data["n"] == 5);
  CHECK(data["layers"] == 2);
  CHECK(data["heads"] == 2);
  CHECK(data["first"] == 2);  // the head with most of its attention on sinks
  CHECK(data["tokens"][1] == "' the'");
  CHECK(data["tokens"][4] == "'\\x1b[2J\"'&'");
  CHECK(data["sinks"][1] == nlohmann::json{{1, 0.25, 0.2}, {4, 0.5, 0.1}});
  const auto maps = decoded(data["maps"]);
  REQUIRE(maps.size() == 4 * 15);
  CHECK(maps[0] == 255);                             // the first row sees itself only
  CHECK(maps[1] == static_cast<std::uint8_t>(180));  // 255 sqrt(0.5)
  CHECK(maps[4] == 0);
  const auto changes = decoded(data["changes"]);
  REQUIRE(changes.size() == 4 * 15);
  CHECK(changes[0] == 128);                                  // the first row has nothing to give
  CHECK(changes[1] == static_cast<std::uint8_t>(128 + 64));  // 127 sqrt(0.25)
  CHECK(changes[2] == static_cast<std::uint8_t>(128 - 64));
  CHECK(decoded(data["received"]).size() == 4 * 5);
}

TEST_CASE("with heads of a search a page frames them and has what each gained alone") {
  const auto by = act_test::hostile_tokenizer();
  const act::inspection::prompt_observation prompt = act_test::example_prompt();
  const std::string page = act::report::inspection_page(
      {.title = "t", .lines = {}}, act::inspection::summarise(prompt), prompt, by, 10,
      {.text = "how", .heads = {{0, 1}}, .net_gains = {-4, 2, 0, std::nullopt}, .samples = 50});
  check_is_closed(page);
  CHECK(page.find("Gained alone, of 50 samples") != std::string::npos);
  CHECK(count(page, "<td data-l=") == 12);
  CHECK(count(page, " picked\"") == 3);
  CHECK(page.find("class=\"l10\" title=\"layer 0, head 0: samples gained less lost -4\">-4<") !=
        std::string::npos);
  CHECK(page.find("class=\"m5 picked\" title=\"layer 0, head 1: samples gained less lost +2\">2<") !=
        std::string::npos);
  CHECK(page.find("class=\"none\" title=\"layer 1, head 1: not searched\"") != std::string::npos);
}

TEST_CASE("without calibrated maps a page has the maps as they are alone") {
  const auto by = act_test::hostile_tokenizer();
  act::inspection::prompt_observation prompt = act_test::example_prompt();
  prompt.calibrated.clear();
  const std::string page = act::report::inspection_page({.title = "t", .lines = {}},
                                                        act::inspection::summarise(prompt), prompt, by, 10);
  check_is_closed(page);
  CHECK(count(page, "<canvas") == 2);
  CHECK(!data_of(page).contains("changes"));
  CHECK(page.find("After:") == std::string::npos);
}

TEST_CASE("a data set's page has each layer's mean maps, and each head's tokens") {
  const auto by = act_test::hostile_tokenizer();
  act::inspection::inspection_accumulator all;
  act::inspection::average_maps maps;
  for (int i = 0; i < 2; ++i) {
    all.add(act_test::example_prompt());
    maps.add(act_test::example_prompt());
  }
  const std::string page =
      act::report::inspection_page({.title = "t", .lines = {}}, all.summary(), maps, by, 10, {.text = "how"});
  check_is_closed(page);
  const nlohmann::json data = data_of(page);
  CHECK(data["per"] == "layer");
  CHECK(data["side"] == 5);
  CHECK(!data.contains("tokens"));
  CHECK(!data.contains("sinks"));
  CHECK(decoded(data["maps"]).size() == 2 * 15);
  CHECK(decoded(data["maps"])[1] == 180);
  CHECK(decoded(data["changes"])[1] == 128 + 64);
  CHECK(page.find("means over 2 prompts") != std::string::npos);
  REQUIRE(data["top"].size() == 4);
  CHECK(data["top"][0].empty());
  CHECK(data["top"][1][0][0] == "' the'");
  CHECK(data["top"][1][0][2] == 1.0);
  CHECK(page.find("most frequent sink tokens") != std::string::npos);
}

TEST_CASE("pictures shrink until all heads fit, and the page says so") {
  CHECK(act::report::page_picture_side(270, 43) == 43);
  CHECK(act::report::page_picture_side(4, 100000) == 512);
  for (const std::size_t heads : {4UL, 270UL, 1024UL, 5120UL, 4000000UL}) {
    const std::size_t side = act::report::page_picture_side(heads, 8192);
    CHECK(side >= 1);
    if (side > 1) CHECK(side * (side + 1) / 2 * heads <= act::report::page_map_bytes);
  }
  act::inspection::prompt_observation long_prompt{
      .layers = 2, .heads = 2, .tokens = std::vector<act::runtime::token_id>(200'000, 1), .found = {}};
  long_prompt.found.resize(4);
  long_prompt.pictures.assign(4, act::inspection::map_picture(200'000, 8));
  long_prompt.received.assign(4, std::vector<double>(200'000, 0.0));
  const auto by = act_test::hostile_tokenizer();
  const std::string page = act::report::inspection_page(
      {.title = "t", .lines = {}}, act::inspection::summarise(long_prompt), long_prompt, by, 5);
  CHECK(page.find("200000 tokens are shown in 8 x 8 cells") != std::string::npos);
  const nlohmann::json data = data_of(page);
  CHECK(!data.contains("received"));
  // Of so many tokens only those that begin and end a cell have a name.
  CHECK(page.find("200000 tokens aren't listed") != std::string::npos);
  CHECK(data["tokens"].size() == 16);
  CHECK(data["tokens"]["24999"] == "' the'");
  CHECK(data["tokens"]["25000"] == "' the'");
  CHECK(page.size() < 100'000);

  long_prompt.tokens.resize(16'000);
  long_prompt.pictures.assign(4, act::inspection::map_picture(16'000, 8));
  long_prompt.received.assign(4, std::vector<double>(16'000, 0.0));
  long_prompt.found.resize(32, long_prompt.found.front());
  long_prompt.received.resize(32, long_prompt.received.front());
  long_prompt.pictures.resize(32, long_prompt.pictures.front());
  long_prompt.heads = 16;
  CHECK(act::report::inspection_page({.title = "t", .lines = {}}, act::inspection::summarise(long_prompt),
                                     long_prompt, by, 5)
            .find("Sinks only: the shares of 16000 tokens in 32 heads") != std::string::npos);
}

TEST_CASE("of too many sinks a page lists each head's strongest, and says so") {
  act::inspection::prompt_observation prompt = act_test::example_prompt();
  prompt.found[3].sinks.assign(40'000, {.position = 1, .score = 0.1, .mass = 0.001});
  prompt.found[3].sinks.back() = {.position = 2, .score = 0.123456789, .mass = 0.2};
  const auto by = act_test::hostile_tokenizer();
  const std::string page = act::report::inspection_page({.title = "t", .lines = {}},
                                                        act::inspection::summarise(prompt), prompt, by, 5);
  const nlohmann::json data = data_of(page);
  CHECK(data["sinks"][1].size() == 2);
  CHECK(data["sinks"][3].size() == act::report::page_sinks_at_most / 4);
  CHECK(data["sinks"][3][0] == nlohmann::json{2, 0.12346, 0.2});
  CHECK(page.find("more than 3000 sinks") != std::string::npos);
}

TEST_CASE("shares as bytes and colours: none, all, and nothing outside") {
  CHECK(act::report::share_byte(0) == 0);
  CHECK(act::report::share_byte(1) == 255);
  CHECK(act::report::share_byte(1.5) == 255);
  CHECK(act::report::share_byte(-1) == 0);
  CHECK(act::report::change_byte(0) == 128);
  CHECK(act::report::change_byte(1) == 255);
  CHECK(act::report::change_byte(-2) == 1);
}

TEST_CASE("the largest pages of 30 layers, and of 1,600 heads, stay under 5 MB") {
  // So many tokens that nothing of the prompt is small; every head with many sinks.
  const std::size_t tokens = 16'384;
  for (const auto& [layers, heads] : {std::pair<std::size_t, std::size_t>{30, 9}, {32, 32}, {40, 40}}) {
    const std::size_t all = layers * heads, side = act::report::page_picture_side(all, tokens);
    act::inspection::prompt_observation prompt{.layers = layers,
                                               .heads = heads,
                                               .tokens = std::vector<act::runtime::token_id>(tokens, 3),
                                               .found = {}};
    act::inspection::head_observation head;
    head.sinks.assign(50, {.position = 16'000, .score = 0.12345, .mass = 0.12345});
    head.sink_mass = 0.99;
    prompt.found.assign(all, head);
    prompt.pictures.assign(all, act::inspection::map_picture(tokens, side));
    prompt.calibrated = prompt.pictures;
    prompt.received.assign(all, std::vector<double>(all > 1000 ? 1 : tokens, 0.01));
    const auto by = act_test::hostile_tokenizer();
    const std::string page = act::report::inspection_page(
        {.title = "t", .lines = {}}, act::inspection::summarise(prompt), prompt, by, 15, {.text = "how"});
    CAPTURE(page.size());
    CHECK(page.size() < 5'000'000);
    CHECK(page.size() > 3'500'000);  // and is used
  }
}
