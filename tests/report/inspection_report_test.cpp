// Inspection as JSON, tables and a heat map, all of the same values.
#include <act/report/inspection_report.hpp>
#include <act/report/pages/inspection_heat_map.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "report/inspection_example.hpp"

TEST_CASE("JSON of a prompt: each sink with layer, head, position, token, score and share") {
  const auto by = act_test::hostile_tokenizer();
  const nlohmann::ordered_json sinks = act::report::sinks_json(act_test::example_prompt(), by).value();
  REQUIRE(sinks.size() == 4);
  CHECK(sinks[1] == nlohmann::ordered_json{{"layer", 0},
                                           {"head", 1},
                                           {"position", 4},
                                           {"token", "\x1b[2J\"'&"},
                                           {"id", 4},
                                           {"score", 0.5},
                                           {"mass", 0.1}});
  CHECK(sinks[2]["layer"] == 1);
  CHECK(sinks[2]["token"] == "\n");
}

TEST_CASE("JSON of a summary") {
  const auto by = act_test::hostile_tokenizer();
  const nlohmann::ordered_json document =
      act::report::to_json(act::inspection::summarise(act_test::example_prompt()), by).value();
  CHECK(document["n"] == 1);
  CHECK(document["layers"] == 2);
  CHECK(document["heads_per_layer"] == 2);
  CHECK(document["tokens"] == 5);
  CHECK(document["sink_count"] == 4);
  CHECK(document["sink_mass"].get<double>() == doctest::Approx((0.3 + 0.525) / 4));
  CHECK(document["first_token"]["mass"] == 0.5);
  CHECK(document["first_token"]["over_threshold"] == 0.75);
  REQUIRE(document["per_head"].size() == 4);
  CHECK(document["per_head"][2]["layer"] == 1);
  CHECK(document["per_head"][2]["head"] == 0);
  CHECK(document["per_head"][2]["sinks"] == 2.0);
  CHECK(document["frequent_tokens"].size() == 4);
  CHECK(document["frequent_tokens"][0]["share"] == 0.25);
  CHECK(document["tenths"].size() == 10);
  const nlohmann::ordered_json sinks =
      act::report::sinks_json(act::inspection::summarise(act_test::example_prompt()), by).value();
  CHECK(sinks[0]["id"] == 3);  // the strongest first
  CHECK(sinks[0]["count"] == 1);
}

TEST_CASE("tables name the strongest first, and cut") {
  const auto by = act_test::hostile_tokenizer();
  const act::inspection::prompt_observation prompt = act_test::example_prompt();
  CHECK(act::report::strongest_sinks_table(prompt, by, 2) ==
        "layer  head  position                          token  score  of the head's attention\n"
        "1         0         3  '</script><img src=x oner...'  0.750                   30.0 %\n"
        "1         0         2                           '\\n'  0.375                   22.5 %\n");
  CHECK(act::report::sink_positions_table(prompt, by, 1) ==
        "position   token  sink of  mean score  of these heads' attention\n"
        "1         ' the'  1 heads       0.250                     20.0 %\n");
  CHECK(act::report::frequent_tokens_table(act::inspection::summarise(prompt), by, 1) ==
        "token     id  count   share  in prompts\n"
        "' the'     1      1  25.0 %     100.0 %\n"
        "3 others          3  75.0 %\n");
  for (const std::string& text :
       {act::report::strongest_sinks_table(prompt, by, 9), act::report::sink_positions_table(prompt, by, 9),
        act::report::frequent_tokens_table(act::inspection::summarise(prompt), by, 9),
        act::report::strongest_sinks_table(act::inspection::summarise(prompt), by, 9)}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\\x1b[2J\"'&") != std::string::npos);
  }
}

TEST_CASE("the remarks count heads, pairs, and the first token as the paper's table does") {
  const act::inspection::prompt_observation prompt = act_test::example_prompt();
  CHECK(act::report::inspection_remarks(act::inspection::summarise(prompt)) ==
        "4 sinks in 2 of 4 heads (50.0 %); 0.0 % of them in the last tenth of the prompt.\n"
        "The first token, which is never a sink, is over the threshold in 3 of 4 heads (75.0 %);\n"
        "counted with the sinks, as the paper's Table 1 does, it would be 42.9 % of them.\n");
  act::inspection::inspection_accumulator two;
  two.add(prompt);
  two.add(prompt);
  CHECK(act::report::inspection_remarks(two.summary())
            .find("8 sinks in 4 of 8 (prompt, head) pairs (50.0 %)") == 0);
  act::inspection::prompt_observation none = prompt;
  for (act::inspection::head_observation& head : none.found)
    head = {.sinks = {}, .sink_mass = 0, .first_mass = 1, .first_over_threshold = false};
  CHECK(act::report::inspection_remarks(act::inspection::summarise(none)) ==
        "0 sinks in 0 of 4 heads (0.0 %).\n"
        "The first token, which is never a sink, is over the threshold in 0 of 4 heads (0.0 %).\n");
}

TEST_CASE("scores by kind of token, and where sinks stand") {
  act::inspection::inspection_summary summary = act::inspection::summarise(act_test::example_prompt());
  CHECK(act::report::sink_places(summary) ==
        "sinks by the tenth of their prompt, %: 0.0 0.0 25.0 0.0 25.0 0.0 25.0 0.0 25.0 0.0\n");
  summary.scores.first[11] = 3;
  summary.scores.first[5] = 1;
  summary.scores.others[0] = 2;
  CHECK(act::report::score_table(summary) ==
        "times 1 / N  first token  sinks    others\n"
        "to 0.1            0.00 %      -  100.00 %\n"
        "to 5             25.00 %      -    0.00 %\n"
        "over 200         75.00 %      -    0.00 %\n"
        "tokens                 4      0         2\n");
  summary.sinks = 0;
  CHECK(act::report::sink_places(summary) == "");
}

TEST_CASE("the heat map without colour: shades of text and no escape codes") {
  const std::string map = act::report::heat_map(act::inspection::summarise(act_test::example_prompt()));
  CHECK(map ==
        "       on sinks, by head    on the first token   sinks  on sinks  on first\n"
        "layer   0 1                  0 1\n"
        "    0   ·▓▓                 ████                   1.0    15.0 %    50.0 %\n"
        "    1  ██ ·                 ████                   1.0    26.2 %    50.0 %\n"
        "  all                                              1.0    20.6 %    50.0 %\n"
        "· 0   ░ to 5 %   ▒ to 15 %   ▓ to 40 %   █ over 40 %   of a head's attention; sinks: a head's, each "
        "layer's mean\n");
  CHECK(map.find('\x1b') == std::string::npos);
}

TEST_CASE("the heat map in colour: the same layout, percentages in the cells") {
  const std::string map =
      act::report::heat_map(act::inspection::summarise(act_test::example_prompt()), {.colour = true});
  CHECK(map.find("52\x1b[0m") != std::string::npos);
  CHECK(map.find("50\x1b[0m") != std::string::npos);
  std::string plain;  // without the codes
  for (std::size_t at = 0; at < map.size(); ++at) {
    if (map[at] == '\x1b') {
      at = map.find('m', at);
    } else {
      plain += map[at];
    }
  }
  CHECK(plain.find("    0   ·30                 5050                   1.0    15.0 %    50.0 %\n") !=
        std::string::npos);
}

TEST_CASE("many heads take one column each") {
  act::inspection::inspection_summary wide{.prompts = 1, .layers = 1, .heads = 17};
  wide.per_head.resize(17);
  wide.per_head[16] = {.sinks = 1, .sink_mass = 0.04, .first_mass = 0.1};
  const std::string map = act::report::heat_map(wide);
  CHECK(map.find("    0  ················░    ················▒ ") != std::string::npos);
  CHECK(map.find("layer  01234567890123456") != std::string::npos);
}
