// The readers of the classification tasks: what each refuses, beyond what the golden prompts show that it
// reads.
#include "message_of.hpp"

#include <act/tasks/readers/boolq.hpp>
#include <act/tasks/readers/class_csv.hpp>
#include <act/tasks/readers/inference.hpp>
#include <act/tasks/readers/labelled_lines.hpp>
#include <act/tasks/readers/question_classes.hpp>
#include <act/tasks/readers/sentence_tsv.hpp>
#include <act/tasks/task.hpp>

#include <doctest/doctest.h>

using act_test::message_of;

TEST_CASE("sst2: header, last tab, label") {
  const auto refused = [](const std::string& text) {
    return message_of([&] { act::tasks::read_sentence_tsv({"dev.tsv", text}); });
  };
  const std::string header = "sentence\tlabel\n";
  CHECK(act::tasks::read_sentence_tsv({"f", header + " a\tb \t1"})[0].fields.at("text") == " a\tb ");
  CHECK(
      refused("good film\t1\n") ==
      "dev.tsv:1: the first line must be the header 'sentence<TAB>label', not 'good film?1'; add it, unless "
      "this is another task's file");
  CHECK(refused("sentence label\n").starts_with("dev.tsv:1: the first line must be the header"));
  CHECK(refused(header + "\nfine\t1\nno tab 1\n") ==
        "dev.tsv:4: must end with a tab and the label 0 or 1, not ''");
  CHECK(refused(header + "x\t2\n") == "dev.tsv:2: must end with a tab and the label 0 or 1, not '2'");
  CHECK(refused(header + "x\t-1\n") == "dev.tsv:2: must end with a tab and the label 0 or 1, not '-1'");
  CHECK(refused(header + "x\t1 \n") == "dev.tsv:2: must end with a tab and the label 0 or 1, not '1 '");
  CHECK(refused(header + "x\t\n") == "dev.tsv:2: must end with a tab and the label 0 or 1, not ''");
  CHECK(refused(header + "\t1\n") ==
        "dev.tsv:2: has no sentence before its label; add it or remove the line");
}

TEST_CASE("sst2: another file's columns aren't taken for sentences") {
  const auto refused = [](const std::string& text) {
    return message_of([&] { act::tasks::read_sentence_tsv({"dev.tsv", text}); });
  };
  const std::string place = "dev.tsv:1: the first line must be the header 'sentence<TAB>label', not ";
  // As GLUE exports it.
  CHECK(refused("index\tsentence\tlabel\n0\tit is fun\t1\n") ==
        place + "'index?sentence?label'; keep these two columns, in this order");
  CHECK(refused("label\tsentence\n1\tit is fun\n") ==
        place + "'label?sentence'; keep these two columns, in this order");
  CHECK(refused("premise\thypothesis\tlabel\na\tb\t1\n") ==
        place + "'premise?hypothesis?label'; add it, unless this is another task's file");
  CHECK(refused("index\tsentence\n0\ta\n") ==
        place + "'index?sentence'; add it, unless this is another task's file");
}

TEST_CASE("sst5, mr, subj: label digit, space, text") {
  const auto refused = [](const std::string& text, std::size_t labels) {
    return message_of([&] {
      act::tasks::read_labelled_lines({"all.txt", text}, labels, act::tasks::text_encoding::utf8);
    });
  };
  const std::string place = "all.txt:1: must begin with a label from 0 to ";
  CHECK(refused("5 x\n", 5) == place + "4 and one space, not '5 x'");
  CHECK(refused("2 x\n", 2) == place + "1 and one space, not '2 x'");
  CHECK(refused("-1 x\n", 2) == place + "1 and one space, not '-1 x'");
  CHECK(refused("1\tx\n", 2) == place + "1 and one space, not '1?x'");
  CHECK(refused("1", 2) == place + "1 and one space, not '1'");
  CHECK(refused("10 x\n", 2) == place + "1 and one space, not '10 x'");
  CHECK(refused("\xC3\xA9\n", 2) == place + "1 and one space, not '?\?'");
  CHECK(refused("0 x\n\n1  \t\n", 2) == "all.txt:3: has no text after its label; add it or remove the line");
  const auto latin =
      act::tasks::read_labelled_lines({"f", "1 \x85 a\x85 \n"}, 2, act::tasks::text_encoding::latin1);
  CHECK(latin[0].fields.at("text") == "\xC2\x85 a\xC2\x85");
}

TEST_CASE("trec: COARSE:fine text") {
  const std::vector<std::string> classes = act::tasks::find_task("trec").file_labels;
  const auto refused = [&](const std::string& text) {
    return message_of([&] { act::tasks::read_question_classes({"t.txt", text}, classes); });
  };
  CHECK(refused("NUM:dist ok ?\nXYZ:dist How ?\n") ==
        "t.txt:2: label 'XYZ' is none of ABBR, ENTY, DESC, HUM, LOC, NUM; is it another task's file?");
  CHECK(refused("How far : is it ?\n") ==
        "t.txt:1: must begin with COARSE:fine and a space, not 'How far : is it '");
  CHECK(refused("NUM:dist\n") == "t.txt:1: must begin with COARSE:fine and a space, not 'NUM:dist'");
  CHECK(refused("NUM:dist \n") == "t.txt:1: has no question after its class; add it or remove the line");
  CHECK(refused("NUM:dist na\xEFve\n") == "t.txt:1: byte 12 isn't UTF-8; convert the file to UTF-8");
  // Valid UTF-8 stays, four-byte characters included; only a broken file loses its 0xF0 bytes.
  CHECK(act::tasks::read_question_classes({"f", "NUM:x a\xF0\x9F\x98\x80"}, classes)[0].fields.at("text") ==
        "a\xF0\x9F\x98\x80");
  CHECK(act::tasks::read_question_classes({"f",
                                           "NUM:x a\xF0"
                                           "b\xF0"},
                                          classes)[0]
            .fields.at("text") == "a b");
}

TEST_CASE("agnews, dbpedia: three cells, class from 1") {
  const auto refused = [](const std::string& text) {
    return message_of([&] {
      act::tasks::read_class_csv({"t.csv", text}, 4, act::tasks::csv_text::title_and_description);
    });
  };
  CHECK(refused("1,a,b\n5,a,b\n") == "t.csv:2: class must be a number from 1 to 4, not '5'");
  CHECK(refused("0,a,b\n") == "t.csv:1: class must be a number from 1 to 4, not '0'");
  CHECK(refused("class,title,description\nh,t,d\n") ==
        "t.csv:2: class must be a number from 1 to 4, not 'h'");
  CHECK(refused("99999999999999999999,a,b\n") ==
        "t.csv:1: class must be a number from 1 to 4, not '99999999999999999999'");
  CHECK(refused("1,a\n") == "t.csv:1: has 2 cells; there must be 3: class, title, description");
  CHECK(refused("1,a,b,c\n") == "t.csv:1: has 4 cells; there must be 3: class, title, description");
  CHECK(act::tasks::read_class_csv({"f", "1,a,b\n"}, 4, act::tasks::csv_text::description)[0].fields.at(
            "text") == "b");
}

TEST_CASE("agnews, dbpedia: a header's columns are found by name, and no other file's") {
  const auto read = [](const std::string& text, act::tasks::csv_text wanted) {
    return act::tasks::read_class_csv({"t.csv", text}, 4, wanted);
  };
  using enum act::tasks::csv_text;
  for (const char* text :
       {"Class Index,Title,Description\n3,t,d\n", "Description,id,Title,Class Index\nd,9,t,3\n",
        "label,title,content\n3,t,d\n", "\"Title\",\"Class\",\"Description\"\n\"t\",3,\"d\"\n"}) {
    CAPTURE(text);
    const auto samples = read(text, title_and_description);
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].fields.at("text") == "t d");
    CHECK(samples[0].label == 2);
    CHECK(read(text, description)[0].fields.at("text") == "d");
  }
  CHECK(read("content,label\nd,3\n", description)[0].fields.at("text") == "d");
  const auto refused = [&](const std::string& text) {
    return message_of([&] { read(text, title_and_description); });
  };
  CHECK(refused("h,t,d\n1,t,d\n") == "t.csv:1: the header has no column 'class'; is it another task's file?");
  CHECK(refused("text,label\nd,3\n") ==
        "t.csv:1: the header has no column 'description'; is it another task's file?");
  CHECK(refused("label,content\n3,d\n") ==
        "t.csv:1: the header has no column 'title'; is it another task's file?");
  CHECK(refused("label,class,title,content\n3,4,t,d\n") ==
        "t.csv:1: the header's columns 'label' and 'class' may both be meant; rename one");
  CHECK(refused("label,title,content,id\n3,t,d\n") ==
        "t.csv:2: has 3 cells; there must be 4, as in the header");
}

TEST_CASE("cb, rte: premise, hypothesis, label word") {
  const auto refused = [](const std::string& task, const std::string& text) {
    return message_of([&] {
      act::tasks::read_inference({"t.jsonl", text}, act::tasks::find_task(task).file_labels);
    });
  };
  CHECK(refused("rte", R"({"premise": "p", "hypothesis": "h", "label": "neutral"})") ==
        "t.jsonl:1: label 'neutral' is none of entailment, not_entailment; is it another task's file?");
  CHECK(refused("cb", R"({"premise": "p", "label": "neutral"})") ==
        "t.jsonl:1: has no 'hypothesis'; is it another task's file?");
  CHECK(refused("cb", R"({"premise": 3, "hypothesis": "h", "label": "neutral"})") ==
        "t.jsonl:1: 'premise' must be a string");
  // Exports number them.
  CHECK(refused("cb", R"({"premise": "p", "hypothesis": "h", "label": 2})").empty());
  CHECK(refused("cb", R"({"premise": "p", "hypothesis": "h", "label": 3})") ==
        "t.jsonl:1: 'label' must be a whole number from 0 to 2");
}

TEST_CASE("boolq: every way to write a truth value, and no other") {
  const auto label = [](const std::string& value) {
    return act::tasks::read_boolq(
               {"t.jsonl", R"({"passage": "p", "question": "q", "label": )" + value + "}"})[0]
        .label;
  };
  for (const char* truth : {"true", "1", "\"true\"", "\"True\"", "\"TRUE\"", "\"1\""}) {
    CHECK(label(truth) == 1);
  }
  for (const char* falsehood : {"false", "0", "\"false\"", "\"fAlse\"", "\"0\""}) {
    CHECK(label(falsehood) == 0);
  }
  for (const char* neither : {"2", "1.0", "\"yes\"", "null", "[true]", "\"\""}) {
    CHECK(message_of([&] { label(neither); }) == "t.jsonl:1: 'label' must be true or false");
  }
}

TEST_CASE("boolq: its own files' 'answer', SuperGLUE's 'label'") {
  const auto read = [](const std::string& members) {
    return act::tasks::read_boolq(
        {"t.jsonl", R"({"passage": "p", "question": "q", "title": "t", )" + members + "}"});
  };
  CHECK(read(R"("answer": true)")[0].label == 1);
  CHECK(read(R"("answer": false)")[0].label == 0);
  CHECK(read(R"("answer": true, "label": 1)")[0].label == 1);
  CHECK(message_of([&] { read(R"("answer": true, "label": 0)"); }) ==
        "t.jsonl:1: 'answer' and 'label' say different things; leave one out");
  CHECK(message_of([&] { read(R"("answer": "perhaps")"); }) == "t.jsonl:1: 'answer' must be true or false");
  CHECK(message_of([&] { read(R"("idx": 3)"); }) == "t.jsonl:1: has no 'label'; is it another task's file?");
}
