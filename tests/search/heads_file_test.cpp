// Heads files: written and read back, and everything a damaged or foreign one can hold.
#include "message_of.hpp"
#include "temporary_folder.hpp"

#include <act/search/heads_file.hpp>
#include <act/tasks/named_calibration.hpp>

#include <doctest/doctest.h>

namespace {

std::string refused(const std::string& text) {
  return act_test::message_of([&] { (void)act::search::parse_heads_file(text, "h.json"); });
}

act::search::heads_file whole_file() {
  act::search::heads_file file;
  file.model = {"llama", 30, 9, "sha256:ab"};
  file.options.emplace();
  file.options->beta = 0.25;
  file.options->sinks.rule = act::sink_rule::absolute;
  file.options->sinks.tau = 0.15;
  file.heads = {{12, 3}, {2, 8}, {12, 0}};
  file.evidence = act::io::json_document::object(
      {{"sources",
        act::io::json_document::array({act::io::json_document::object(
            {{"name", "train.tsv"}, {"sha256", "00"}, {"samples", std::vector<std::size_t>{1, 5, 9}}})})},
       {"a", 0.1}});
  return file;
}

}  // namespace

TEST_CASE("what is written is read back, and written again the same") {
  const act::search::heads_file file = whole_file();
  const std::string text = act::search::format_heads_file(file);
  const act::search::heads_file read = act::search::parse_heads_file(text, "h.json");
  CHECK(read.model == file.model);
  CHECK(read.heads == file.heads);
  CHECK(read.evidence.text() == file.evidence.text());
  CHECK(act::search::searched_samples(read, "00") == std::vector<std::size_t>{1, 5, 9});
  CHECK(act::search::searched_samples(read, "01").empty());
  REQUIRE(read.options);
  CHECK(read.options->beta == 0.25);
  CHECK(read.options->sinks.rule == act::sink_rule::absolute);
  CHECK(read.options->sinks.tau == 0.15);
  CHECK(read.options->sinks.alpha == 5);
  CHECK(act::search::format_heads_file(read) == text);
  CHECK(text.starts_with(
      "{\n  \"format\": \"act-heads\",\n  \"version\": 1,\n  \"model\": {\"architecture\": \"llama\", "
      "\"layers\": 30, \"heads\": 9, \"fingerprint\": \"sha256:ab\"},\n"));
  CHECK(text.find("\"heads\": [\n    [2, 8],\n    [12, 0],\n    [12, 3]\n  ],") != std::string::npos);
}

TEST_CASE("what rivals do is written and read back: columns, factor, masking") {
  for (const char* columns : {"sinks", "initial-token", "instruction", "question"}) {
    act::search::heads_file file = whole_file();
    act::tasks::named_calibration named{.options = *file.options};
    named.options.redistribute = act::redistribution::renormalised;
    named.options.factor = 2.5;
    act::tasks::set_columns(named, columns, "columns");
    file.options = named.options;
    file.subset = named.subset;
    const std::string text = act::search::format_heads_file(file);
    CHECK((text.find("\"columns\"") != std::string::npos) == (std::string(columns) != "sinks"));
    CHECK(text.find("\"factor\": 2.5") != std::string::npos);
    CHECK(text.find("\"subset\"") == std::string::npos);
    const act::search::heads_file read = act::search::parse_heads_file(text, "h.json");
    CHECK(read.options->redistribute == act::redistribution::renormalised);
    CHECK(read.options->columns == named.options.columns);
    CHECK(read.options->factor == 2.5);
    CHECK(read.subset == named.subset);
    CHECK(act::search::format_heads_file(read) == text);
  }
  act::search::heads_file file = whole_file();
  CHECK(act::search::format_heads_file(file).find("factor") == std::string::npos);
  file.options.emplace();
  file.masks = true;
  const std::string text = act::search::format_heads_file(file);
  CHECK(text.find("\"options\": {\"mask\": true}") != std::string::npos);
  CHECK(act::search::parse_heads_file(text, "h.json").masks);
}

TEST_CASE("PASTA's files of heads are read") {
  const act::search::heads_file read =
      act::search::parse_heads_file(R"({"26": [11], "4": [9, 0], "0": []})", "p.json");
  CHECK(read.heads == act::head_set{{4, 0}, {4, 9}, {26, 11}});
  CHECK(!read.options);
  CHECK(refused(R"({"4": [0, 9, 0]})") == "h.json: \"4\" names head 0 of the layer twice; remove one");
  CHECK(refused(R"({"4": 1})") == "h.json: \"4\" must be a list of the layer's heads");
  CHECK(refused(R"({"4": [1.5]})") == "h.json: \"4\" must list whole numbers, heads counted from 0");
  for (const char* layer : {"65536", "99999999999999999999"}) {
    CHECK(refused(std::string("{\"") + layer + "\": [1]}") ==
          "h.json: \"" + std::string(layer) + "\" is no layer; they are whole numbers up to 65535");
  }
  CHECK(refused(R"({"4": [1], "model": {}})") ==
        "h.json: \"heads\" is missing; a heads file must hold \"heads\": [[layer, head], ...]");
  CHECK(refused(R"({"4": [1], "04": [1]})") == "h.json: \"04\" names head 1 of the layer twice; remove one");
}

TEST_CASE("theta is kept where it is used") {
  act::search::heads_file file = whole_file();
  CHECK(act::search::format_heads_file(file).find("theta") == std::string::npos);
  file.options->redistribute = act::redistribution::temperature;
  file.options->theta = 1 / 1.1;
  CHECK(act::search::parse_heads_file(act::search::format_heads_file(file), "h.json").options->theta ==
        1 / 1.1);
  CHECK(act::search::format_heads_file(file).find("\"inverse-temperature\", \"theta\": 1.1") !=
        std::string::npos);
  const auto read = [](const char* options) {
    return *act::search::parse_heads_file(std::string(R"({"heads": [], "options": )") + options + "}", "h")
                .options;
  };
  CHECK(read(R"({"theta": 1.25, "redistribution": "inverse-temperature"})").theta == 0.8);
  CHECK(read(R"({"redistribution": "inverse-temperature"})").theta == 1 / 1.1);
  CHECK(read(R"({"redistribution": "temperature"})").theta == 1.1);
  CHECK(read(R"({"redistribution": "temperature", "theta": 0.9})").theta == 0.9);
}

TEST_CASE("the part that a subset is, is kept and needed where it is used") {
  act::search::heads_file file = whole_file();
  CHECK(act::search::format_heads_file(file).find("subset") == std::string::npos);
  file.options->redistribute = act::redistribution::subset;
  for (const act::tasks::prompt_part part :
       {act::tasks::prompt_part::question, act::tasks::prompt_part::choices}) {
    file.subset = part;
    const std::string text = act::search::format_heads_file(file);
    const act::search::heads_file read = act::search::parse_heads_file(text, "h.json");
    CHECK(read.options->redistribute == act::redistribution::subset);
    CHECK(read.subset == part);
    CHECK(act::search::format_heads_file(read) == text);
  }
  CHECK(act::search::format_heads_file(file).find(R"("redistribution": "subset", "subset": "choices")") !=
        std::string::npos);
  CHECK_FALSE(act::search::parse_heads_file(R"({"heads": [], "options": {}})", "h").subset);
}

TEST_CASE("a file on disk") {
  const act_test::temporary_folder folder;
  const auto path = folder.path() / "heads.json";
  act::search::write_heads_file(path, whole_file());
  CHECK(act::search::read_heads_file(path).heads == whole_file().heads);
  CHECK(act_test::message_of([&] { (void)act::search::read_heads_file(folder.path() / "no"); }) ==
        (folder.path() / "no").string() + ": can't be opened; check the path and its permissions");
  CHECK(act_test::message_of([&] {
          (void)act::search::read_heads_file(folder.path());
        }).starts_with(folder.path().string()));
}

TEST_CASE("only the heads are required, unknown members are passed over") {
  const act::search::heads_file file =
      act::search::parse_heads_file(R"({"heads": [[3, 1]], "note": [1]})", "h.json");
  CHECK(file.heads.size() == 1);
  CHECK_FALSE(file.options);
  CHECK(file.model == act::runtime::model_identity{});
  CHECK(file.evidence.text() == "{}");
  CHECK(act::search::parse_heads_file(R"({"heads": []})", "h.json").heads.empty());
  CHECK(act::search::parse_heads_file(R"({"heads": [[0, 0]], "options": {}})", "h.json").options->beta ==
        0.4);
}

TEST_CASE("format, version and shape") {
  CHECK(refused("") == "h.json: not valid JSON at byte 1; is it complete, and a heads file?");
  CHECK(refused(R"({"heads": [[1, 2], [3)") ==
        "h.json: not valid JSON at byte 22; is it complete, and a heads file?");
  CHECK(refused("[]") == "h.json: must be a JSON object");
  CHECK(refused("{}") ==
        "h.json: \"heads\" is missing; a heads file must hold \"heads\": [[layer, head], ...]");
  CHECK(refused(R"({"format": "gguf", "heads": []})") ==
        "h.json: \"format\" isn't \"act-heads\"; this isn't a heads file");
  CHECK(refused(R"({"format": 1, "heads": []})") ==
        "h.json: \"format\" isn't \"act-heads\"; this isn't a heads file");
  for (const char* version : {"2", "\"1\"", "0", "null"}) {
    CHECK(refused(std::string(R"({"version": )") + version + R"(, "heads": []})") ==
          "h.json: \"version\" isn't 1, the only one this act reads; use the act that wrote it");
  }
  CHECK(refused(R"({"heads": {"0": 1}})") == "h.json: \"heads\" must be a list of [layer, head] pairs");
  CHECK(refused(R"({"heads": [], "model": 3})") ==
        "h.json: \"model\" must be an object; leave it out if there is nothing to say");
  CHECK(refused(R"({"heads": [], "evidence": []})") ==
        "h.json: \"evidence\" must be an object; leave it out if there is nothing to say");
  CHECK(refused(R"({"heads": [], "heads": []})") ==
        "h.json: key 'heads' appears twice in one object; is it complete, and a heads file?");
  CHECK(refused("{\"heads\": " + std::string(100000, '[')) ==
        "h.json: nested deeper than 64 levels; is it complete, and a heads file?");
  CHECK(refused("{\"heads\": [], \"model\": {\"architecture\": \"\xFF\"}}")
            .starts_with("h.json: not valid JSON"));
}

TEST_CASE("every pair must be two whole numbers, once, inside the file's model") {
  for (const char* pair : {"[1]", "[1, 2, 3, 4]", "[-1, 2]", "[1, -2]", "[1.0, 2]", "[\"1\", 2]", "[null, 1]",
                           "7", "{}", "[65536, 0]", "[18446744073709551616, 0]", "[[1], 2]", "[true, 1]"}) {
    CHECK(refused(std::string(R"({"heads": [[0, 0], )") + pair + "]}") ==
          "h.json: \"heads[1]\" must be [layer, head], two whole numbers counted from 0");
  }
  CHECK(refused(R"({"heads": [[1, 2], [3, 4], [1, 2]]})") ==
        "h.json: \"heads[2]\" repeats an earlier pair; remove one");
  CHECK(refused(R"({"model": {"layers": 4, "heads": 2}, "heads": [[3, 1], [4, 0]]})") ==
        "h.json: \"heads[1]\" is outside the file's own \"model\"; counting starts at 0");
  CHECK(refused(R"({"model": {"layers": 4, "heads": 2}, "heads": [[3, 2]]})") ==
        "h.json: \"heads[0]\" is outside the file's own \"model\"; counting starts at 0");
  for (const char* layers : {"0", "-1", "1.5", "\"4\"", "99999999999"}) {
    CHECK(refused(std::string(R"({"heads": [], "model": {"layers": )") + layers + "}}") ==
          "h.json: \"model.layers\" must be a whole number from 1 to 65535");
  }
  CHECK(refused(R"({"heads": [], "model": {"fingerprint": 3}})") ==
        "h.json: \"model.fingerprint\" must be a string");
}

TEST_CASE("options are known, typed and within their ranges") {
  const auto with = [](const std::string& options) {
    return refused(R"({"heads": [], "options": )" + options + "}");
  };
  CHECK(
      with(
          R"({"rule": "relative", "alpha": 3, "tau": 0.2, "min_visible_rows": 4, "beta": 0, "redistribution": "proportional", "compatibility": "none"})")
          .empty());
  CHECK(with(R"({"redistribution": "temperature", "theta": 0.9, "rule": "baseline-corrected"})").empty());
  CHECK(with(R"({"redistribution": "most"})") ==
        "h.json: \"options.redistribution\" must be one of proportional, uniform, subset, inverse, "
        "temperature, renormalised, inverse-temperature");
  CHECK(with(R"({"subset": "question", "redistribution": "subset"})").empty());
  CHECK(with(R"({"redistribution": "subset"})") ==
        "h.json: \"options\" subset must say which part of a prompt receives: question or choices");
  CHECK(with(R"({"subset": "question"})") ==
        "h.json: \"options\" subset is for redistribution subset only: leave it out, or ask for that");
  for (const char* part : {"\"answers\"", "1", "null", "[1, 2]"}) {
    CHECK(with(std::string(R"({"redistribution": "subset", "subset": )") + part + "}") ==
          "h.json: \"options.subset\" must be one of question, choices, instruction");
  }
  CHECK(with(R"({"redistribution": "subset", "subset": "question", "compatibility": "authors"})")
            .find("must be proportional with compatibility::authors") != std::string::npos);
  CHECK(with(R"({"theta": 0, "redistribution": "inverse-temperature"})").find("theta") != std::string::npos);
  CHECK(with(R"({"rule": "fast"})") ==
        "h.json: \"options.rule\" must be one of relative, absolute, baseline-corrected");
  CHECK(with(R"({"rule": 1})") ==
        "h.json: \"options.rule\" must be one of relative, absolute, baseline-corrected");
  CHECK(with(R"({"beta": "0.4"})") == "h.json: \"options.beta\" must be a number");
  CHECK(with(R"({"beta": 1.5})") == "h.json: \"options\" beta must be between 0 and 1 (the paper's is 0.4)");
  CHECK(with(R"({"min_visible_rows": -1})") ==
        "h.json: \"options.min_visible_rows\" must be a whole number from 1 to 65535");
  CHECK(with(R"({"bta": 0.4})") ==
        "h.json: \"options.bta\" isn't an option this act knows, and leaving it out would calibrate "
        "differently; remove "
        "it or use the act that wrote it");
  CHECK(with(R"({"redistribution": "renormalised", "factor": 20, "columns": "instruction"})").empty());
  CHECK(with(R"({"columns": "initial-token", "beta": 0.3})").empty());
  CHECK(with(R"({"mask": true})").empty());
  CHECK(with(R"({"mask": true, "beta": 0.4})") ==
        "h.json: \"options.mask\" makes every other option meaningless; remove them, or it");
  CHECK(with(R"({"mask": 1})") == "h.json: \"options.mask\" must be true or false");
  CHECK(with(R"({"factor": 2})") ==
        "h.json: \"options\" factor is for renormalised redistribution only: leave it 1, or ask for that");
  CHECK(with(R"({"redistribution": "renormalised", "factor": -2})") ==
        "h.json: \"options\" factor must be 0, or between 1e-6 and 1e6");
  for (const char* columns : {"\"rows\"", "1", "null"}) {
    CHECK(with(std::string(R"({"columns": )") + columns + "}") ==
          "h.json: \"options.columns\" must be one of sinks, initial-token, question, choices, instruction");
  }
  CHECK(with(R"({"redistribution": "uniform", "columns": "question"})")
            .find("columns must be sinks with this redistribution") != std::string::npos);
  CHECK(with(R"({"redistribution": "subset", "columns": "question", "subset": "choices"})") ==
        "h.json: \"options.subset\" and \"options.columns\" both name a part of a prompt; give one");
  CHECK(with("3") == "h.json: \"options\" must be an object; leave it out if there is nothing to say");
}

TEST_CASE("heads must fit the loaded model") {
  const act::search::heads_file file = whole_file();
  act::runtime::model_identity loaded = {"llama", 30, 9, "sha256:ab"};
  CHECK(act::search::check_fit(file, loaded, "h.json", false) == act::search::fingerprint_check::matches);
  loaded.fingerprint = "sha256:cd";
  CHECK(act_test::message_of(
            [&] { (void)act::search::check_fit(file, loaded, "h.json", false, "--anyway"); }) ==
        "h.json: was made for another model (fingerprint sha256:ab, the loaded one has sha256:cd); use this "
        "model's "
        "heads file, or --anyway");
  CHECK(act::search::check_fit(file, loaded, "h.json", true) == act::search::fingerprint_check::overridden);
  act::search::heads_file unsigned_file = file;
  unsigned_file.model.fingerprint.clear();
  CHECK(act::search::check_fit(unsigned_file, loaded, "h.json", false) ==
        act::search::fingerprint_check::absent);
  loaded.heads = 8;
  for (const bool force : {false, true}) {
    CHECK(
        act_test::message_of([&] { (void)act::search::check_fit(unsigned_file, loaded, "h.json", force); }) ==
        "h.json: head [2, 8] is outside the model, which has 30 layers of 8 heads; use the heads file of "
        "this model");
  }
}

TEST_CASE("every cut and every flipped bit of a heads file is read or refused, never worse") {
  const std::string text = act::search::format_heads_file(whole_file());
  for (std::size_t at = 0; at < text.size(); ++at) {
    (void)refused(text.substr(0, at));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      (void)refused(flipped);
    }
  }
}

TEST_CASE("heads keep strengths of their own, and others have the options'") {
  const act::search::heads_file read = act::search::parse_heads_file(
      R"({"heads": [[3, 1, 0.7], [2, 0], [2, 4, 0]], "options": {"beta": 0.5}})", "h.json");
  CHECK(read.heads == act::head_set{{2, 0}, {2, 4}, {3, 1}});
  CHECK(read.strengths == std::vector<double>{0.5, 0, 0.7});
  const std::string text = act::search::format_heads_file(read);
  CHECK(act::search::parse_heads_file(text, "h.json").strengths == read.strengths);
  CHECK(act::search::format_heads_file(act::search::parse_heads_file(text, "h.json")) == text);
  CHECK(act::search::parse_heads_file(R"({"heads": [[3, 1]]})", "h.json").strengths.empty());

  act::tasks::named_calibration in_force{.options = *read.options, .subset = {}, .masks = false};
  CHECK(strengths_under(read, in_force, "h.json") == read.strengths);
  in_force.options.beta = 0.1;
  CHECK(act_test::message_of([&] {
          (void)strengths_under(read, in_force, "h.json");
        }).starts_with("h.json: gives heads strengths of their own"));
}

TEST_CASE("strengths that no head can have are refused") {
  for (const char* text :
       {R"({"heads": [[3, 1, 1.5]]})", R"({"heads": [[3, 1, -0.1]]})", R"({"heads": [[3, 1, "0.4"]]})",
        R"({"heads": [[3, 1, null]]})", R"({"heads": [[3, 1, 0.4, 1]]})",
        R"({"heads": [[3, 1, 0.4]], "options": {"mask": true}})",
        R"({"heads": [[3, 1, 0.4]], "options": {"redistribution": "temperature"}})",
        R"({"heads": [[3, 1, 1e7]], "options": {"redistribution": "renormalised"}})"}) {
    CAPTURE(text);
    CHECK(refused(text).starts_with("h.json: \"heads"));
  }
  CHECK(act::search::parse_heads_file(
            R"({"heads": [[3, 1, 2.5]], "options": {"redistribution": "renormalised", "factor": 0.5}})",
            "h.json")
            .strengths == std::vector<double>{2.5});
}
