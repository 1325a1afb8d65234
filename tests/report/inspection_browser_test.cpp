// The inspection page as a reader has it, in Chromium where it is installed: pointer, keyboard, phone, dark.
#include <act/inspection/average_maps.hpp>
#include <act/report/pages/inspection_page.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "chromium.hpp"
#include "report/inspection_example.hpp"

namespace {

std::string prompt_page() {
  const auto by = act_test::hostile_tokenizer();
  const act::inspection::prompt_observation prompt = act_test::example_prompt();
  return act::report::inspection_page({.title = "Sinks", .lines = {}}, act::inspection::summarise(prompt),
                                      prompt, by, 10, {.text = "how"});
}

// What a script at the page's end sees: `members` of a JavaScript object, after `steps`.
nlohmann::json seen(std::string page, const std::string& steps, const std::string& members,
                    const std::string& options = {}) {
  const std::string probe =
      "<script>const text = id => document.getElementById(id).textContent;\n"
      "const key = (target, name) => target.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: "
      "true}));\n"
      "const at = (canvas, type, x, y) => { const box = canvas.getBoundingClientRect(); "
      "canvas.dispatchEvent(new MouseEvent(type, {clientX: box.left + x * box.width, clientY: box.top + 10 + "
      "y "
      "* box.width, bubbles: true})); };\n"
      "const maps = document.getElementById('maps'), heads = document.querySelector('.heads');\n" +
      steps +
      "\nconst result = document.createElement('pre'); result.id = 'probe'; result.textContent = "
      "JSON.stringify({" +
      members + "}); document.body.append(result);</script>";
  page.insert(page.rfind("</body>"), probe);
  const std::string dom = act_test::dom_of(page, options);
  const std::string open = "<pre id=\"probe\">";
  const std::size_t from = dom.find(open);
  REQUIRE(from != std::string::npos);
  std::string text = dom.substr(from + open.size(), dom.find("</pre>", from) - from - open.size());
  for (const auto& [entity, character] :
       std::vector<std::pair<std::string, std::string>>{{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}}) {
    for (std::size_t at; (at = text.find(entity)) != std::string::npos;)
      text.replace(at, entity.size(), character);
  }
  return nlohmann::json::parse(text);
}

bool skipped() {
  if (act_test::has_chromium()) return false;
  MESSAGE("[skipped] chromium isn't installed");
  return true;
}

}  // namespace

TEST_CASE("pointing at a map says both tokens and the weight before, after and between") {
  if (skipped()) return;
  const nlohmann::json found = seen(prompt_page(), R"(
    const which = document.querySelector('.which').textContent, canvas = document.getElementById('before');
    at(canvas, 'mousemove', 0.1, 0.5);
    const first = text('under');
    const pointed = document.querySelector('#tokens .pointed').textContent, from = document.querySelector('#tokens .from').textContent;
    at(document.getElementById('change'), 'click', 0.5, 0.5);
    const sink = text('under');
    at(canvas, 'mousemove', 0.9, 0.1);
    const above = text('under');
    maps.dispatchEvent(new MouseEvent('mouseleave'));
  )",
                                    "which, first, pointed, from, sink, above, left: text('under'), "
                                    "list: text('list'), atlas: document.getElementById('atlas').width > 0");
  CHECK(found["which"] == "Layer 1, head 0");  // the head with most on its sinks
  const std::string first = found["first"];
  CHECK(first.find("from 2 '\\n'\nto 0 'once': 49.8 % before, 75.2 % after, difference +25.4 %") == 0);
  CHECK(found["pointed"] == "once");
  CHECK(found["from"] == "\\n");
  const std::string sink = found["sink"];
  CHECK(sink.find("to 2 '\\n'") != std::string::npos);
  CHECK(sink.find("difference -25.") != std::string::npos);
  CHECK(sink.find("sink at 2 '\\n': score 0.375, 22.5 % of this head") != std::string::npos);
  // Above the diagonal nothing is seen: the column's own token.
  CHECK(found["above"].get<std::string>().find("from 4 ") == 0);
  CHECK(found["left"].get<std::string>().find("Point at a cell") == 0);
  CHECK(found["list"].get<std::string>().find("22.5 %") != std::string::npos);
  CHECK(found["atlas"] == true);
}

TEST_CASE("arrow keys choose heads, means of layers and of all, and go through a map's cells") {
  if (skipped()) return;
  const nlohmann::json found = seen(prompt_page(), R"(
    const names = [], name = () => names.push(document.querySelector('.which').textContent);
    key(heads, 'ArrowRight'); name();
    key(heads, 'ArrowLeft'); key(heads, 'ArrowLeft'); name();
    key(heads, 'ArrowUp'); key(heads, 'ArrowUp'); name();
    const mean = text('list');
    const chosen = document.querySelectorAll('.chosen').length;
    document.querySelector('td[data-l="0"][data-h="1"]').click(); name();
    document.querySelector('th[data-l="1"]').click(); name();
    const cells = [], cell = () => cells.push(text('under').split(':')[0]);
    key(maps, 'ArrowUp'); cell();
    key(maps, 'ArrowUp'); cell();
    key(maps, 'End'); cell();
    key(maps, 'ArrowLeft'); cell();
    key(maps, 'Home'); cell();
    key(maps, 'PageUp'); cell();
    key(maps, 'Escape');
  )",
                                    "names, mean, chosen, cells, left: text('under'), focus: maps.tabIndex, "
                                    "heads: heads.tabIndex");
  CHECK(found["names"] == nlohmann::json{"Layer 1, head 1", "Layer 1, mean of its heads", "Mean of all heads",
                                         "Layer 0, head 1", "Layer 1, mean of its heads"});
  CHECK(found["mean"].get<std::string>().find("heads") != std::string::npos);
  CHECK(found["chosen"] == 2);  // in both heat maps
  // Begins at the strongest sink's column in the last row; a row sees nothing behind itself.
  const std::string third = "3 '</script><img src=x oner...'";
  CHECK(found["cells"] == nlohmann::json{"from 4 '\\x1b[2J\"'&'\nto " + third,
                                         "from " + third + "\nto " + third, "from " + third + "\nto " + third,
                                         "from " + third + "\nto 2 '\\n'", "from " + third + "\nto 0 'once'",
                                         "from 0 'once'\nto 0 'once'"});
  CHECK(found["left"].get<std::string>().find("Point at a cell") == 0);
  CHECK(found["focus"] == 0);
  CHECK(found["heads"] == 0);
}

TEST_CASE("a data set's page opens on the mean of all heads, and a head shows its layer's") {
  if (skipped()) return;
  const auto by = act_test::hostile_tokenizer();
  act::inspection::inspection_accumulator all;
  act::inspection::average_maps means;
  all.add(act_test::example_prompt());
  means.add(act_test::example_prompt());
  const nlohmann::json found = seen(act::report::inspection_page({.title = "t", .lines = {}}, all.summary(),
                                                                 means, by, 10, {.text = "how"}),
                                    R"(
    const which = document.querySelector('.which').textContent;
    at(document.getElementById('after'), 'mousemove', 0.1, 0.9);
    const under = text('under'), list = text('list');
    document.querySelector('td[data-l="1"][data-h="0"]').click();
  )",
                                    "which, under, list, note: text('note'), own: text('list')");
  CHECK(found["which"] == "Mean of all heads");
  CHECK(found["under"].get<std::string>().find(
            "from 80 .. 100 % of the prompt\nto 0 .. 20 % of the prompt: 49.8 % before, 75.2 % after") == 0);
  CHECK(found["list"].get<std::string>().find("' the'") != std::string::npos);
  CHECK(found["note"].get<std::string>().find("these are layer 1") != std::string::npos);
  CHECK(found["own"].get<std::string>().find("mean position") != std::string::npos);
}

TEST_CASE("dark and light, and a phone's width: the page follows") {
  if (skipped()) return;
  const std::string look = R"(
    const pixel = () => Array.from(document.getElementById('before').getContext('2d').getImageData(3, 60, 1, 1).data);
    const colour = getComputedStyle(document.body).backgroundColor;
  )";
  const std::string members =
      "colour, pixel: pixel(), wide: document.documentElement.scrollWidth, room: innerWidth, columns: "
      "getComputedStyle(maps).gridTemplateColumns.split(' ').length";
  const nlohmann::json light = seen(prompt_page(), look, members, "--window-size=1200,900");
  const nlohmann::json dark =
      seen(prompt_page(), look, members, "--window-size=1200,900 --blink-settings=preferredColorScheme=0");
  CHECK(light["colour"] == "rgb(255, 255, 255)");
  CHECK(dark["colour"] == "rgb(22, 24, 27)");
  CHECK(light["pixel"] != dark["pixel"]);
  CHECK(light["columns"] == 3);
  const nlohmann::json phone = seen(prompt_page(), look, members, "--window-size=360,800");
  CHECK(phone["wide"] <= phone["room"]);  // nothing is cut off, nothing scrolls sideways
  if (phone["room"] < 500) CHECK(phone["columns"] == 1);
}

TEST_CASE("the largest page of 30 layers opens at once") {
  if (skipped()) return;
  const std::size_t tokens = 8192, heads = 270, side = act::report::page_picture_side(heads, tokens);
  act::inspection::prompt_observation prompt{
      .layers = 30, .heads = 9, .tokens = std::vector<act::runtime::token_id>(tokens, 1), .found = {}};
  act::inspection::head_observation head;
  head.sinks.assign(40, {.position = 8000, .score = 0.12345, .mass = 0.12345});
  head.sink_mass = 0.9;
  prompt.found.assign(heads, head);
  prompt.pictures.assign(heads, act::inspection::map_picture(tokens, side));
  prompt.calibrated = prompt.pictures;
  prompt.received.assign(heads, std::vector<double>(tokens, 0.01));
  const auto by = act_test::hostile_tokenizer();
  const std::string page = act::report::inspection_page(
      {.title = "t", .lines = {}}, act::inspection::summarise(prompt), prompt, by, 15, {.text = "how"});
  const nlohmann::json found = seen(page, "", "milliseconds: performance.now()");
  MESSAGE(page.size() << " bytes, ready after " << found["milliseconds"].get<double>() << " ms");
  // Under a second on a machine at rest; this one may have other work.
  CHECK(found["milliseconds"] < 5000);
}
