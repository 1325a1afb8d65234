// Templates of any kind against jinja2 as transformers sets it up (tests/golden/chat/make_jinja.py), where
// each byte came from, and what a hostile template may not do.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/jinja/parse.hpp>
#include <act/runtime/jinja/render.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "message_of.hpp"

namespace {

namespace jinja = act::runtime::jinja;
using jinja::marked_text;
using jinja::value;

value value_of(const nlohmann::ordered_json& json, char origin) {
  if (json.is_string()) return value::text(json.get<std::string>(), origin);
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_array()) {
    std::vector<value> items;
    for (const auto& each : json)
      items.push_back(value_of(each, origin));
    return value::list(std::move(items));
  }
  if (json.is_object()) {
    std::vector<std::pair<std::string, value>> members;
    for (const auto& [key, each] : json.items())
      members.emplace_back(key, value_of(each, origin));
    return value::dict(std::move(members));
  }
  return jinja::none{};
}

marked_text rendered(const std::string& source, const jinja::environment& with = {}) {
  return jinja::render(jinja::parse(source, "model", "choose another"), with, "model", "choose another");
}

std::string refusal(const std::string& source, const jinja::environment& with = {}) {
  return act_test::message_of([&] { return rendered(source, with); });
}

}  // namespace

TEST_CASE("templates say what jinja2 says, and fail where it fails") {
  std::ifstream in(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "chat" / "jinja.json");
  const auto golden = nlohmann::ordered_json::parse(in);
  jinja::environment with;
  for (const auto& [name, held] : golden.at("variables").items())
    with.variables.emplace_back(name, value_of(held, marked_text::from_message));
  CHECK(golden.at("cases").size() > 150);
  for (const auto& each : golden.at("cases")) {
    const std::string source = each[0];
    CAPTURE(source);
    std::string text, problem;
    try {
      const marked_text made = rendered(source, with);
      text = made.bytes;
      CHECK(made.from.size() == made.bytes.size());
    } catch (const act::error& refused) {
      problem = refused.what();
    }
    if (each[1].is_null()) {
      CHECK(problem.starts_with("model: chat template, line "));
      CHECK(problem.ends_with("; choose another"));
    } else {
      CHECK(problem == "");
      CHECK(text == each[1].get<std::string>());
    }
  }
}

TEST_CASE("every byte of what a template writes is the template's or a message's") {
  jinja::environment with;
  with.variables.emplace_back("c", value::text("  a<b>ä  ", marked_text::from_message));
  const auto marks = [&](const std::string& source) { return rendered(source, with).from; };
  CHECK(marks("<x>{{ c }}</x>") == "tttmmmmmmmmmmtttt");
  CHECK(marks("{{ '<x>' + c | trim + '</x>' }}") == "tttmmmmmmtttt");
  CHECK(marks("{{ c.strip() ~ 1 }}{{ c[2:4] }}{{ c.split('<')[0] }}") == "mmmmmmtmmmmm");
  CHECK(marks("{{ c.replace('<b>', '<tt>') }}") == "mmmttttmmmm");
  CHECK(marks("{% set d %}[{{ c | trim }}]{% endset %}{{ d }}") == "tmmmmmmt");
  CHECK(marks("{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f(c.strip()) }}") == "tmmmmmmt");
  CHECK(marks("{{ [c.strip(), 'x'] | join('-') }}") == "mmmmmmtt");
  CHECK(marks("{{ c.strip() | tojson }}") == "tmmmmmmt");
  CHECK(marks("{% for x in c.strip() %}{{ x }}.{% endfor %}") == "mtmtmtmtmmt");
  CHECK(marks("{{ c.strip() | replace('a', 'A') | upper if false else c.strip()[::-1] }}") == "mmmmmm");
}

TEST_CASE("what isn't known is refused by name, with its line") {
  CHECK(refusal("a\n\n{% include 'x' %}") ==
        "model: chat template, line 3: the tag 'include' isn't known; choose another");
  CHECK(refusal("{{ 'a' | urlize }}") ==
        "model: chat template, line 1: the filter 'urlize' isn't known; choose another");
  CHECK(refusal("{{ 'a'.zfill(3) }}").find("method 'zfill'") != std::string::npos);
  CHECK(refusal("{{ 1 is sameas 1 }}").find("test 'sameas'") != std::string::npos);
  CHECK(refusal("{{ '%s' % 'a' }}").find("'%'") != std::string::npos);
  CHECK(refusal("{{ [1] }}").find("a list is printed") != std::string::npos);
  CHECK(refusal("{{ 'ä' | upper }}").find("ASCII") != std::string::npos);
  CHECK(refusal("{{ lipsum() }}").find("'lipsum'") != std::string::npos);
  CHECK(refusal("{{ 2 ** 100 }}").find("power") != std::string::npos);
  CHECK(refusal("{{ 9223372036854775807 + 1 }}").find("64 bits") != std::string::npos);
  CHECK(refusal("{{ -9223372036854775807 - 2 }}").find("64 bits") != std::string::npos);
  CHECK(refusal("{{ (-9223372036854775807 - 1) // -1 }}").find("64 bits") != std::string::npos);
  CHECK(rendered("{{ (-9223372036854775807 - 1) % -1 }}").bytes == "0");
  CHECK(refusal("{% for x in y recursive %}{% endfor %}").find("recursive") != std::string::npos);
  CHECK(refusal("{{ f(*a) }}").find("'*'") != std::string::npos);
  CHECK(refusal("\xff").find("UTF-8") != std::string::npos);
  // What isn't reached doesn't matter: templates are full of what to do with tools.
  CHECK(rendered("{% if false %}{{ x | urlize }}{{ y.z.w() }}{% endif %}ok").bytes == "ok");
  CHECK(refusal("{{ raise_exception('No system\n text') }}") ==
        "model: chat template, line 1: refuses the conversation: No system\\x0a text; choose another");
}

TEST_CASE("a template may know the date") {
  jinja::environment with;
  std::tm day = {};
  day.tm_year = 124;
  day.tm_mon = 6;
  day.tm_mday = 26;
  day.tm_hour = 12;
  day.tm_isdst = -1;
  with.now = std::mktime(&day);
  CHECK(rendered("{{ strftime_now('%d %b %Y') }}", with).bytes == "26 Jul 2024");
  CHECK(refusal("{{ strftime_now(1) }}") != "");
}

TEST_CASE("a hostile template neither crashes nor hangs nor fills the memory") {
  const auto many = [](const std::string& piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += piece;
    return text;
  };
  const std::vector<std::pair<std::string, const char*>> hostile = {
      {"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps"},
      {"{% set n = namespace(s='aaaa') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
       "steps"},
      {"{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
       "steps"},
      {"{% set n = namespace(s=[1]) %}{% for i in range(999) %}{% set n.s = [n.s, n.s] %}{% endfor %}",
       "nested"},
      {"{% set n = namespace(s=[1]) %}{% for i in range(40) %}{% set n.s = [n.s, n.s] %}{% endfor %}"
       "{{ n.s == n.s }}",
       "steps"},
      {"{% set n = namespace(s=[1]) %}{% for i in range(40) %}{% set n.s = [n.s, n.s] %}{% endfor %}"
       "{{ n.s | tojson }}",
       "steps"},
      {"{% set n = namespace() %}{% set n.self = n %}", "namespace"},
      {"{% set n = namespace() %}{% set n.self = [n] %}", "namespace"},
      {"{{ 'a' * 999999999999 }}", "steps"},
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep"},
      {"{% macro f(n) %}{{ f(n + 1) ~ f(n + 1) }}{% endmacro %}{{ f(0) }}", "deep"},
      {many("{% if true %}", 30000), "nested"},
      {many("(", 100000), ""},
      {"{{ " + many("(", 100000), "closed"},
      {"{{ " + many("(", 100000) + "1" + many(")", 100000) + " }}", "nested"},
      {"{{ " + many("[", 100000) + many("]", 100000) + " }}", "nested"},
      {"{{ a" + many("(a", 100000) + many(")", 100000) + " }}", "nested"},
      {"{{ " + many("{'a':", 50000) + "1" + many("}", 50000) + " }}", "nested"},
      {"{{ " + many("not ", 100000) + "1 }}", "nested"},
      {"{{ " + many("-", 100000) + "1 }}", "nested"},
      {"{{ 1" + many(" + 1", 100000) + " }}", "nested"},
      {"{{ a" + many(".a", 100000) + " }}", "nested"},
      {"{{ 'a'" + many(" | trim", 50000) + " }}", "nested"},
      {"{{ 1" + many(" if 1 else 1", 30000) + " }}", "nested"},
      {"{{ '" + many("a", 600000) + "' }}", "512 KiB"},
      {"{% for i in range(99999) %}{{ 'abcdefghijklmnop' * 99 }}{% endfor %}", "steps"},
      {"{% set t = 'a' * 99999 %}{% for i in range(99999) %}{% set x = t.split('a') %}{% endfor %}", "steps"},
      {"{% set t = 'a' * 99999 %}{% for i in range(99999) %}{% set x = 'b' in t %}{% endfor %}", "steps"},
      {"{% set t = 'a' * 99999 %}{% for i in range(99999) %}{% set x = t | length %}{% endfor %}", "steps"},
      {"{% set t = 'a' * 99999 %}{% for i in range(99999) %}{% set x = t.find('b') %}{% endfor %}", "steps"},
      {"{% set t = ' ' * 99999 %}{% for i in range(99999) %}{% set x = t.strip() %}{% endfor %}", "steps"},
  };
  for (const auto& [source, why] : hostile) {
    const std::string begin = source.substr(0, 80);
    CAPTURE(begin);
    const std::clock_t begun = std::clock();
    const std::string refused = refusal(source);
    CHECK(refused.find(why) != std::string::npos);
    CHECK(refused.empty() == (*why == '\0'));
    CHECK(refused.size() < 300);
    CHECK(std::clock() - begun < 10 * CLOCKS_PER_SEC);
  }
  // What a conversation needs grows with it.
  jinja::environment long_one;
  long_one.variables.emplace_back(
      "messages", value::list({value::text(std::string(3000000, 'a'), marked_text::from_message)}));
  const std::string usual =
      "{% for m in messages %}{% set c = '<|im_start|>' + m | trim + '<|im_end|>' %}{{ c }}{% endfor %}";
  CHECK(rendered(usual, long_one).bytes.size() > 3000000);
  // Many different names, each looked for among all.
  std::string names;
  for (int i = 0; i < 20000; ++i)
    names += "{% set a" + std::to_string(i) + " = 1 %}";
  CHECK(refusal(names).find("steps") != std::string::npos);
}
