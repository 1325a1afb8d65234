// A model split into several GGUF files is the model that it was, for every program.
#include <doctest/doctest.h>

#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/gguf_split.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "runtime/checkpoint/split_gguf.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

struct split_model {
  act_test::temporary_folder folder;
  std::vector<std::string> contents = act_test::split_gguf(act_test::tiny_model, 3);
  std::vector<std::string> paths;

  split_model() {
    for (std::uint16_t i = 0; i < contents.size(); ++i)
      paths.push_back(folder.write("tiny" + act::runtime::split_ending(i, 3), contents[i]));
  }
};

}  // namespace

TEST_CASE("every program runs a split model as the whole one") {
  const split_model split;
  const act_test::temporary_folder& folder = split.folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(12));
  const auto both = [&](const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<act_test::process_result> runs;
    for (const std::string& model : {act_test::tiny_model, split.paths[0]}) {
      std::vector<std::string> all{"--model", model};
      all.insert(all.end(), arguments.begin(), arguments.end());
      runs.push_back(run_program(program, all));
      CHECK(runs.back().err == "");
      REQUIRE(runs.back().exit_code == 0);
    }
    return runs;
  };
  const auto generated =
      both("act-generate", {"--prompt", "the weather", "--max-new-tokens", "5", "--quiet"});
  CHECK(generated[0].out == generated[1].out);
  const std::string heads = folder / "heads.json";
  std::vector<std::string> written;
  for (const std::string& model : {act_test::tiny_model, split.paths[0]}) {
    const auto run = run_program("act-search", {"--model", model, "--task", "jsonl=" + data, "--layers",
                                                "1:3", "--out", heads, "--quiet"});
    REQUIRE(run.exit_code == 0);
    written.push_back(act_test::read_file(heads));
    std::filesystem::remove(heads);
  }
  CHECK(written[0] == written[1]);  // with the model's fingerprint
  (void)folder.write("heads.json", written[1]);
  std::vector<json> results;
  for (const std::string& model : {act_test::tiny_model, split.paths[0]}) {
    const auto run =
        run_program("act-eval", {"--model", model, "--task", "jsonl", "--data", data, "--heads", heads,
                                 "--include-search-samples", "--json", folder / "result.json"});
    CHECK(run.err == "");
    REQUIRE(run.exit_code == 0);
    results.push_back(parsed(folder / "result.json"));
  }
  for (const char* same : {"model", "baseline", "calibrated"})
    CHECK(results[0][same] == results[1][same]);
  const auto inspected = both("act-inspect", {"--prompt", "the weather or what people ask", "--quiet"});
  CHECK(inspected[0].out == inspected[1].out);
}

TEST_CASE("a split model's fingerprint tells of each of its files") {
  const split_model split;
  const auto fingerprint = [&] {
    const std::string result = split.folder / "result.json";
    const auto run = run_program(
        "act-inspect", {"--model", split.paths[0], "--prompt", "the weather", "--json", result, "--quiet"});
    REQUIRE(run.exit_code == 0);
    return parsed(result)["model"]["fingerprint"].get<std::string>();
  };
  std::vector<std::string> seen{fingerprint()};
  const act::runtime::gguf_file whole(act_test::tiny_model);
  for (std::size_t i = 0; i < split.paths.size(); ++i) {
    CAPTURE(i);
    // A number of a norm in this file, which is stored as float.
    const act::runtime::gguf_file file(split.paths[0]);
    std::string norm;
    for (const act::runtime::tensor_view& tensor : file.tensors())
      if (file.file_of(tensor.name) == split.paths[i] && tensor.type == act::runtime::tensor_type::f32)
        norm = tensor.name;
    REQUIRE(norm != "");
    const auto bytes = file.tensor(norm).bytes;
    std::string content = split.contents[i];
    const std::size_t at =
        content.find(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    REQUIRE(at != std::string::npos);
    content[at] ^= 1;
    (void)split.folder.write(std::filesystem::path(split.paths[i]).filename().string(), content);
    seen.push_back(fingerprint());
    for (std::size_t other = 0; other < i + 1; ++other)
      CHECK(seen[other] != seen.back());
  }
}

TEST_CASE("a split model that isn't whole is refused by file") {
  const split_model split;
  const auto refused = [&](const std::string& model, const std::string& what) {
    check_one_line(run_program("act-generate", {"--model", model, "--prompt", "the"}), 1, what);
    check_one_line(run_program("act-inspect", {"--model", model, "--prompt", "the"}), 1, what);
  };
  refused(split.paths[1], "pass the first one");
  (void)split.folder.write("tiny-00003-of-00003.gguf", split.contents[2].substr(0, 100));
  refused(split.paths[0], "tiny-00003-of-00003.gguf");
  std::filesystem::remove(split.paths[2]);
  refused(split.paths[0], "tiny-00003-of-00003.gguf: isn't there");
}

TEST_CASE("results never overwrite a file of a split model") {
  const split_model split;
  const std::string data = split.folder.write("data.jsonl", act_test::tiny_jsonl(5));
  for (const std::string& path : split.paths)
    check_one_line(run_program("act-eval", {"--model", split.paths[0], "--task", "jsonl", "--data", data,
                                            "--json", path}),
                   2, "--json");
  CHECK(act_test::read_file(split.paths[1]) == split.contents[1]);
}
