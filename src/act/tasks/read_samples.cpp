#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/sha256.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/readers/boolq.hpp>
#include <act/tasks/readers/class_csv.hpp>
#include <act/tasks/readers/copa.hpp>
#include <act/tasks/readers/exported_rows.hpp>
#include <act/tasks/readers/hellaswag.hpp>
#include <act/tasks/readers/inference.hpp>
#include <act/tasks/readers/keyed_choices.hpp>
#include <act/tasks/readers/labelled_lines.hpp>
#include <act/tasks/readers/mmlu.hpp>
#include <act/tasks/readers/openbookqa.hpp>
#include <act/tasks/readers/own_jsonl.hpp>
#include <act/tasks/readers/piqa.hpp>
#include <act/tasks/readers/question_classes.hpp>
#include <act/tasks/readers/sentence_tsv.hpp>
#include <act/tasks/readers/squad.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace act::tasks {

namespace {

// Whether piqa's rows have their labels themselves, as exports do.
bool first_row_is_labelled(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) && line.find("\"label\"") != std::string::npos;
}

// Rows, which aren't Parquet's.
io::text_file read_rows(const task& of, const std::string& path) {
  io::text_file file = io::read_text_file(path);
  if (!file.text.starts_with("PAR1")) return file;  // what every Parquet file begins with
  if (of.format == file_format::squad_json)
    throw error(error_code::invalid_input, path, "is Parquet; give SQuAD's own JSON");
  throw error(error_code::invalid_input, path,
              "is Parquet; give its rows as JSON lines, which this command (with pyarrow) makes: python3 -c "
              "'import json, sys, pyarrow.parquet as p; [print(json.dumps(row)) for row in "
              "p.read_table(sys.argv[1]).to_pylist()]' " +
                  io::printable(path) + " > rows.jsonl");
}

}  // namespace

std::vector<std::string> files_of(const task& of, const std::string& path) {
  if (of.format == file_format::piqa_jsonl) {
    const std::filesystem::path samples(path);
    const std::filesystem::path labels = samples.parent_path() / (samples.stem().string() + "-labels.lst");
    if (!std::filesystem::exists(labels) && first_row_is_labelled(path)) return {path};
    return {path, labels};
  }
  std::error_code failed;
  if (of.format != file_format::mmlu_csv || !std::filesystem::is_directory(path, failed)) {
    return {path};
  }
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator entry(path, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().extension() == ".csv") {
      files.push_back(entry->path().string());
    }
  }
  if (failed || files.empty()) {
    throw error(error_code::io, path, "no .csv file could be found in this folder; check the path");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string data_sha256(const task& of, const std::string& path) {
  const std::vector<std::string> files = files_of(of, path);
  if (files.size() == 1) return io::sha256_of_file(files.front());
  io::sha256 digest;
  for (const std::string& file : files)
    digest.update(io::sha256_of_file(file));
  return digest.hex();
}

std::vector<sample> read_one_file(const task& of, const io::text_file& file) {
  if (has_exported_rows(of.format) && is_json_lines(file)) return read_exported_rows(of, file);
  switch (of.format) {
    case file_format::sentence_tsv:
      return read_sentence_tsv(file);
    case file_format::digit_lines:
      return read_labelled_lines(file, of.label_words.size(), text_encoding::utf8);
    case file_format::latin1_lines:
      return read_labelled_lines(file, of.label_words.size(), text_encoding::latin1);
    case file_format::title_text_csv:
      return read_class_csv(file, of.label_words.size(), csv_text::title_and_description);
    case file_format::text_csv:
      return read_class_csv(file, of.label_words.size(), csv_text::description);
    case file_format::question_classes:
      return read_question_classes(file, of.file_labels);
    case file_format::inference_jsonl:
      return read_inference(file, of.file_labels);
    case file_format::boolq_jsonl:
      return read_boolq(file);
    case file_format::hellaswag_jsonl:
      return read_hellaswag(file);
    case file_format::arc_jsonl:
    case file_format::commonsense_jsonl:
      return read_keyed_choices(file);
    case file_format::openbookqa_tsv:
      return read_openbookqa(file);
    case file_format::copa:
      return read_copa(file);
    case file_format::mmlu_csv:
      return read_mmlu(file);
    case file_format::squad_json:
      return read_squad(file);
    case file_format::own_jsonl:
      return read_own_jsonl(file);
    case file_format::piqa_jsonl:
      return read_piqa(file);  // the labels' own file: see read_samples
  }
  return {};
}

std::vector<sample> read_samples(const task& of, const std::string& path) {
  std::vector<sample> samples;
  const std::vector<std::string> files = files_of(of, path);
  if (of.format == file_format::piqa_jsonl && files.size() == 2) {
    const io::text_file rows = read_rows(of, files[0]);  // what is wrong with it is said first
    samples = read_piqa(rows, io::read_text_file(files[1]));
  } else {
    for (std::size_t number = 0; number < files.size(); ++number) {
      for (sample& read : read_one_file(of, read_rows(of, files[number]))) {
        read.group = of.format == file_format::mmlu_csv ? number : read.group;
        samples.push_back(std::move(read));
      }
    }
  }
  if (samples.empty()) {
    throw error(error_code::invalid_input, path,
                "holds no samples of task '" + of.name + "'; is it empty, or another task's file?");
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].index = i;
  }
  return samples;
}

}  // namespace act::tasks
