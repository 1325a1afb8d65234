// act-inspect --predictability as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; i < 120; ++i)
    text += "the weather or what people ask of a long and winding road " + std::to_string(i * i * 7) + " ";
  return text;
}

act_test::process_result predict(const std::string& text, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--model", act_test::tiny_model, "--predictability", text, "--context", "64"});
  return run_program("act-inspect", more);
}

}  // namespace

TEST_CASE("act-inspect --predictability: the same numbers as a table, a picture, a page and JSON") {
  const act_test::temporary_folder folder;
  const std::string text = folder.write("text.txt", long_text());
  const auto run =
      predict(text, {"--references", "2", "--json", folder / "r.json", "--html", folder / "p.html"});
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("maps fitted on ") == 0);
  CHECK(run.out.find("of a vector's variation (R^2)") != std::string::npos);
  CHECK(run.out.find('\x1b') == std::string::npos);

  const json result = parsed(folder / "r.json");
  CHECK(result["weights"] == "trained");
  CHECK(result["references"] == 2);
  CHECK(result["lower_layers"] == 0);
  CHECK(result["memory"] > 0);
  CHECK(result["data"]["sha256"].get<std::string>().size() == 64);
  CHECK(result["model"]["fingerprint"].get<std::string>().size() == 64);
  const std::size_t fitted = result["windows"]["fitted"], held_out = result["windows"]["held_out"];
  CHECK(held_out == (fitted + held_out + 4) / 5);
  CHECK(result["tokens"]["fitted"] == 64 * fitted);
  REQUIRE(result["vectors"].size() == 4);
  for (const json& kind : result["vectors"]) {
    CAPTURE(kind["vectors"]);
    CHECK(run.out.find(kind["vectors"].get<std::string>()) != std::string::npos);
    const std::size_t most = kind["mean"]["held_out"].size();
    std::vector<double> means(most), counts(most);
    for (const json& head : kind["per_head"]) {
      CHECK(head["references"].size() == head["held_out"].size());
      for (const json& reference : head["references"])
        CHECK(reference != json{head["layer"], head["head"]});
      for (std::size_t k = 0; k < head["held_out"].size(); ++k) {
        CHECK(head["held_out"][k] <= 1.0);
        // One more predictor never explains less of what it was fitted on.
        if (k > 0) CHECK(head["fitted"][k].get<double>() > head["fitted"][k - 1].get<double>() - 1e-4);
        means[k] += head["held_out"][k].get<double>();
        counts[k] += 1;
      }
    }
    for (std::size_t k = 0; k < most; ++k)
      CHECK(kind["mean"]["held_out"][k].get<double>() == doctest::Approx(means[k] / counts[k]));
  }
  const std::string page = act_test::read_file(folder / "p.html");
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("http") == page.find("http-equiv"));
  CHECK(page.find("rotated keys") != std::string::npos);
  CHECK(page.find("title=\"layer 0, head 0: ") != std::string::npos);
}

TEST_CASE("act-inspect --predictability: what changes its numbers, and what doesn't") {
  const act_test::temporary_folder folder;
  const std::string text = folder.write("text.txt", long_text());
  const auto usual = predict(text);
  REQUIRE(usual.exit_code == 0);
  CHECK(predict(text, {"--threads", "3", "--quiet"}).out == usual.out);
  CHECK(predict(text, {"--color", "always"}).out.find("\x1b[48;5;") != std::string::npos);
  const auto random = predict(text, {"--random-weights", "1", "--json", folder / "random.json"});
  CHECK(random.out.find("random weights (seed 1)") == 0);
  CHECK(predict(text, {"--random-weights", "1"}).out == random.out);
  CHECK(predict(text, {"--random-weights", "2"}).out != random.out);
  CHECK(parsed(folder / "random.json")["weights"]["random"] == 1);
  const auto part =
      predict(text, {"--vectors", "values", "--vectors", "keys", "--max-windows", "5", "--leave-out", "4",
                     "--lower-layers", "1", "--json", folder / "part.json"});
  REQUIRE(part.exit_code == 0);
  const json result = parsed(folder / "part.json");
  CHECK(result["tokens"]["fitted"] == 4 * 60);
  CHECK(result["tokens"]["held_out"] == 60);
  REQUIRE(result["vectors"].size() == 2);
  CHECK(result["vectors"][0]["vectors"] == "values");
  bool below = false;
  for (const json& head : result["vectors"][1]["per_head"]) {
    for (const json& reference : head["references"])
      below = below || reference[0] < head["layer"];
  }
  CHECK(below);
}

TEST_CASE("act-inspect --predictability refuses in one line what makes no sense") {
  const act_test::temporary_folder folder;
  const std::string text = folder.write("text.txt", long_text());
  check_one_line(predict(folder.write("short.txt", "a road")), 1, "short.txt");
  check_one_line(predict(folder / "missing.txt"), 1, "missing.txt");
  check_one_line(predict(text, {"--leave-out", "64"}), 2, "--leave-out");
  check_one_line(predict(text, {"--ridge", "2"}), 2, "--ridge");
  check_one_line(predict(text, {"--alpha", "3"}), 2, "--alpha");
  check_one_line(predict(text, {"--references", "0"}), 2, "--references");
  check_one_line(predict(text, {"--vectors", "heads"}), 2, "--vectors");
  check_one_line(predict(text, {"--prompt", "a road"}), 2, "--prompt");
  check_one_line(
      run_program("act-inspect", {"--model", act_test::tiny_model, "--prompt", "a", "--references", "2"}), 2,
      "--predictability");
  check_one_line(predict(text, {"--context", "100000"}), 2, "--context");
}
