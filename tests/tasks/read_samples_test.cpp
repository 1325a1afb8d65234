// From a path to samples: the files of a task, errors of whole files, and the real data sets where they are.
#include "golden_prompts.hpp"
#include "message_of.hpp"
#include "temporary_folder.hpp"

#include <act/io/utf8.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/readers/piqa.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <set>

namespace fs = std::filesystem;

namespace {

std::string refused(const std::string& task, const fs::path& path) {
  return act_test::message_of([&] { return act::tasks::read_samples(act::tasks::find_task(task), path); });
}

struct real_file {
  const char* task;
  const char* path;
  std::size_t samples;
  std::vector<std::size_t> by_label;  // how many have label 0, 1, ...; empty: not compared
};

}  // namespace

TEST_CASE("a file without samples is an error for every task") {
  const act_test::temporary_folder folder;
  for (const act::tasks::task& each : act::tasks::all_tasks()) {
    CAPTURE(each.name);
    if (each.format == act::tasks::file_format::squad_json ||
        each.format == act::tasks::file_format::piqa_jsonl) {
      continue;
    }
    const fs::path empty = folder.write("empty", "\n\r\n\n");
    CHECK(refused(each.name, empty) == empty.string() + ": holds no samples of task '" + each.name +
                                           "'; is it empty, or another task's file?");
  }
  const fs::path none = folder.write("none.json", R"({"data": []})");
  CHECK(refused("squad", none) ==
        none.string() + ": holds no samples of task 'squad'; is it empty, or another task's file?");
  const fs::path header = folder.write("header.tsv", "sentence\tlabel\n");
  CHECK(refused("sst2", header)
            .ends_with("holds no samples of task 'sst2'; is it empty, or another task's file?"));
}

TEST_CASE("files that can't be opened") {
  const act_test::temporary_folder folder;
  CHECK(refused("sst2", folder.path() / "no") ==
        (folder.path() / "no").string() + ": can't be opened; check the path and its permissions");
  CHECK(refused("sst2", folder.path()) == folder.path().string() + ": is a folder; name a file in it");
  CHECK(refused("mmlu", folder.path()) ==
        folder.path().string() + ": no .csv file could be found in this folder; check the path");
  const fs::path piqa = folder.write("valid.jsonl", R"({"goal": "g", "sol1": "1", "sol2": "2"})");
  CHECK(refused("piqa", piqa) == (folder.path() / "valid-labels.lst").string() +
                                     ": can't be opened; check the path and its permissions");
}

TEST_CASE("a Parquet file is refused with the command that makes lines of it") {
  const act_test::temporary_folder folder;
  const fs::path parquet = folder.write("test-00000.parquet", std::string("PAR1\x15\x04\0", 7) + "PAR1");
  for (const act::tasks::task& each : act::tasks::all_tasks()) {
    CAPTURE(each.name);
    const std::string said = refused(each.name, parquet);
    CHECK(said.starts_with(parquet.string() + ": is Parquet; give "));
    CHECK(said.ends_with(each.name == "squad" ? "give SQuAD's own JSON"
                                              : "' " + parquet.string() + " > rows.jsonl"));
  }
}

TEST_CASE("a folder of mmlu files is read in file-name order, samples numbered through") {
  const auto samples =
      act::tasks::read_samples(act::tasks::find_task("mmlu"), act_test::golden_tasks() / "data/mmlu");
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].fields.at("subject") == "applied naps");
  CHECK(samples[1].fields.at("subject") == "high school knots");
  CHECK(samples[0].group == 0);
  CHECK(samples[2].group == 1);
  CHECK(samples[2].index == 2);
  const auto one = act::tasks::read_samples(
      act::tasks::find_task("mmlu"), act_test::golden_tasks() / "data/mmlu/high_school_knots_test.csv");
  CHECK(one.size() == 2);
  CHECK(one[0].group == 0);
  CHECK(act::tasks::files_of(act::tasks::find_task("mmlu"), act_test::golden_tasks() / "data/mmlu").size() ==
        2);
  CHECK(act::tasks::files_of(act::tasks::find_task("piqa"), "d/valid.jsonl") ==
        std::vector<std::string>{"d/valid.jsonl", "d/valid-labels.lst"});
  CHECK(act::tasks::files_of(act::tasks::find_task("sst2"), "dev.tsv") ==
        std::vector<std::string>{"dev.tsv"});
}

TEST_CASE("a damaged file of any format is read or refused, never worse") {
  std::set<std::string> done;
  for (const auto& golden : act_test::golden_prompts()) {
    const std::string name = golden.expected.at("file");
    if (golden.task.format == act::tasks::file_format::mmlu_csv || !done.insert(name).second) {
      continue;
    }
    const std::string text = act::io::read_text_file(act_test::golden_tasks() / "data" / name).text;
    const auto read = [&](const std::string& damaged) {
      (void)act_test::message_of([&] {
        const act::io::text_file file{name, damaged};
        const bool two_files = golden.task.format == act::tasks::file_format::piqa_jsonl;
        for (const act::tasks::sample& each : two_files ? act::tasks::read_piqa(file, {"labels", "0\n1\n"})
                                                        : act::tasks::read_one_file(golden.task, file)) {
          CHECK((each.choices.empty() || each.label < each.choices.size()));
          CHECK((golden.task.label_words.empty() || each.label < golden.task.label_words.size()));
        }
      });
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
      read(text.substr(0, at));
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      read(flipped);
      flipped[at] = '\0';
      read(flipped);
    }
  }
  CHECK(done.size() >= 19);
}

TEST_CASE("the real data sets: every sample is read and makes a prompt") {
  const fs::path data = fs::path(ACT_TEST_SHARED) / "data";
  if (!fs::exists(data)) {
    MESSAGE("[skipped] " << data.string() << " isn't there");
    return;
  }
  const std::vector<real_file> files = {
      {"sst2", "sst2/train.tsv", 6735, {2994, 3741}},
      {"sst2", "sst2/dev.tsv", 436, {212, 224}},
      {"sst5", "sst5/train.txt", 8544, {1092, 2218, 1624, 2322, 1288}},
      {"sst5", "sst5/test.txt", 1105, {135, 305, 185, 257, 223}},
      {"mr", "mr/all.txt", 5331, {2666, 2665}},
      {"subj", "subj/all.txt", 5000, {2500, 2500}},
      {"agnews", "agnews/train.csv", 581, {163, 132, 137, 149}},
      {"agnews", "agnews/test.csv", 3800, {949, 949, 947, 955}},
      {"trec", "trec/train.txt", 5452, {86, 1250, 1162, 1223, 835, 896}},
      {"trec", "trec/test.txt", 250, {6, 44, 72, 25, 42, 61}},
      {"cb", "cb/train.jsonl", 250, {115, 119, 16}},
      {"cb", "cb/val.jsonl", 28, {10, 16, 2}},
      {"boolq", "boolq/train.jsonl", 32, {14, 18}},
      {"boolq", "boolq/val.jsonl", 1635, {623, 1012}},
      {"copa", "copa/train.jsonl", 32, {14, 18}},
      {"copa", "copa/val.jsonl", 50, {27, 23}},
      {"arce", "arc/ARC-Easy-Dev.jsonl", 570, {158, 152, 142, 118}},
      {"arce", "arc/ARC-Easy-Test.jsonl", 1188, {294, 287, 319, 288}},
      {"arcc", "arc/ARC-Challenge-Dev.jsonl", 299, {64, 73, 78, 83, 1}},
      {"arcc", "arc/ARC-Challenge-Test.jsonl", 586, {136, 156, 149, 145}},
      {"piqa", "piqa/valid.jsonl", 919, {453, 466}},
      {"obqa", "openbookqa/train.tsv", 4957, {1378, 1212, 1146, 1221}},
      {"obqa", "openbookqa/test.tsv", 250, {64, 68, 70, 48}},
      {"csqa", "csqa/dev_rand_split.jsonl", 611, {121, 132, 118, 132, 108}},
      {"hellaswag", "hellaswag/hellaswag_val.jsonl", 500, {125, 133, 109, 133}},
      {"mmlu", "mmlu/dev", 285, {67, 69, 71, 78}},
      {"mmlu", "mmlu/test", 4603, {1090, 1124, 1133, 1256}},
      {"squad", "squad/dev-v1.1.json", 612, {}},
      {"squad", "squad/dev-v2.0.json", 2828, {}},
  };
  for (const real_file& file : files) {
    CAPTURE(file.path);
    const act::tasks::task& task = act::tasks::find_task(file.task);
    const auto samples = act::tasks::read_samples(task, data / file.path);
    CHECK(samples.size() == file.samples);
    std::vector<std::size_t> by_label(file.by_label.size());
    for (const act::tasks::sample& each : samples) {
      const std::string prompt = act::tasks::build_prompt(task, each);
      CHECK(act::io::find_invalid_utf8(prompt) == std::string::npos);
      if (!by_label.empty()) {
        REQUIRE(each.label < by_label.size());
        ++by_label[each.label];
      }
    }
    CHECK(by_label == file.by_label);
  }
}
