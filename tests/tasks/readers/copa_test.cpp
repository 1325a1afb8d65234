// copa: what is read, in lines and in XML, and that XML which could be read as something else is refused.
#include "message_of.hpp"

#include <act/tasks/readers/copa.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace {

std::string refused(const std::string& text) {
  return act_test::message_of([&] { (void)act::tasks::read_copa({"c", text}); });
}

const std::string asked = "asks-for=\"cause\" most-plausible-alternative=\"2\"";
const std::string all = "<p>P</p><a1>1</a1><a2>2</a2>";

std::string item(const std::string& attributes, const std::string& inner) {
  return "<c>\n<item " + attributes + ">" + inner + "</item></c>";
}

}  // namespace

TEST_CASE("copa: cause or effect, label 0 or 1, in lines and in XML") {
  CHECK(refused(R"({"premise": "p", "choice1": "a", "choice2": "b", "question": "why", "label": 0})") ==
        "c:1: asks for 'why'; it must be cause or effect");
  CHECK(refused(R"({"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 2})") ==
        "c:1: 'label' must be a whole number from 0 to 1");
  CHECK(refused(item(asked, all)).empty());
  CHECK(refused(item("most-plausible-alternative=\"1\"", all)) == "c:2: the item has no asks-for; add it");
  CHECK(refused(item("asks-for=\"cause\"", all)) ==
        "c:2: the item has no most-plausible-alternative; add it");
  CHECK(refused(item("asks-for=\"so\" most-plausible-alternative=\"1\"", all)) ==
        "c:2: asks for 'so'; it must be cause or effect");
  CHECK(refused(item("asks-for=\"cause\" most-plausible-alternative=\"0\"", all)) ==
        "c:2: label '0' is none of 1, 2; is it another task's file?");
  CHECK(act::tasks::read_copa({"c", "<c></c>"}).empty());
}

TEST_CASE("copa: the XML of a file is read as it stands") {
  const auto read =
      act::tasks::read_copa({"c",
                             "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE c SYSTEM "
                             "'c.dtd'>\n<!-- <item> R&D -->\n"
                             "<c>\n<item id='1' asks-for = 'effect' most-plausible-alternative='&#50;'>\n"
                             "<p> t&amp;&#x41;&#66;&#8364;&#128512;&apos;\xC3\xA9</p>\n<a1>x<!-- y -->z</a1>"
                             "<a2><![CDATA[<b>&lol;]]></a2></item>\n</c>\n"});
  REQUIRE(read.size() == 1);
  CHECK(read[0].fields.at("premise") == " t&AB€😀'é");
  CHECK(read[0].fields.at("question") == "effect");
  CHECK(read[0].choices[0] == "xz");
  CHECK(read[0].choices[1] == "<b>&lol;");
  CHECK(read[0].label == 1);
}

TEST_CASE("copa: an item has one text each of p, a1 and a2") {
  CHECK(refused(item(asked, "<p>P</p><a1>1</a1>")) ==
        "c:2: the item that begins here lacks one of p, a1, a2; add it");
  CHECK(refused(item(asked, "<p/><a1>1</a1><a2>2</a2>")) ==
        "c:2: the item that begins here lacks one of p, a1, a2; add it");
  CHECK(refused(item(asked, all + "\n<p>Q</p>")) == "c:3: the item has a second p; remove one");
  CHECK(refused(item(asked, "<p>a<b>c</b></p><a1>1</a1><a2>2</a2>")) ==
        "c:2: element 'b' stands inside p; keep its text only");
  CHECK(refused(item(asked, all + "<item " + asked + ">" + all + "</item>")) ==
        "c:2: the item that begins here holds another; is a closing tag missing?");
  CHECK(refused(item(asked + " asks-for='effect'", all)) ==
        "c:2: attribute 'asks-for' appears twice; remove one");
}

TEST_CASE("copa: XML that isn't well formed is refused with its line") {
  CHECK(refused("<c>\n<b></c>") ==
        "c:2: isn't well-formed XML (Start-end tags mismatch); is the file complete?");
  for (const char* text : {"<a>", "</a>", "<a x>", "<a x=1>", "<a x='1>", "<a", "<>", "<a / >", "<a></a x>",
                           "<!-- x", "<!ENTITY b 'c'><a/>", "<a><!ENTITY b 'c'></a>"}) {
    CHECK(refused(text).starts_with("c:1: isn't well-formed XML ("));
  }
  CHECK(refused(item(asked, all) + "\n text") == "c:3: text stands outside every element; remove it");
  CHECK(refused("<a>\n\xFF</a>") == "c:2: isn't UTF-8; convert the file to UTF-8");
  CHECK(refused(item(asked, all) + std::string(1, '\0') + "</d>") ==
        "c:2: holds a byte 0, which no text has; is the file damaged?");
}

TEST_CASE("copa: nothing may change what the text of a file means") {
  CHECK(refused("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>") ==
        "c:1: the DOCTYPE declares what the text may mean; remove it");
  CHECK(refused("<a>\n<b x='&lol;'/></a>") == "c:2: unknown entity 'lol'; write & as &amp;");
  CHECK(refused("<a>\n\n&lol;</a>") == "c:3: unknown entity 'lol'; write & as &amp;");
  CHECK(refused("<a>a & b</a>").starts_with("c:1: unknown entity ' b"));
  for (const char* code :
       {"&#0;", "&#xD800;", "&#x110000;", "&#;", "&#x;", "&#99999999;", "&#4294967361;", "&;", "&#-1;"}) {
    CHECK(refused("<a>" + std::string(code) + "</a>").starts_with("c:1: unknown entity"));
  }
  const std::string latin = "<?xml version='1.0' encoding='ISO-8859-1'?>";
  CHECK(refused(latin + item(asked, all)).empty());  // ASCII is the same in both
  CHECK(refused(latin + item(asked, "<p>\xC3\xA9</p><a1>1</a1><a2>2</a2>")) ==
        "c:1: says that its encoding is 'ISO-8859-1'; convert the file to UTF-8 and its first line with it");
}

TEST_CASE("copa: a file cut short or nested deeply") {
  const std::string head = "<?xml version='1.0'?><!-- c -->";
  const std::string whole = head + item(asked, "<p>t&amp;u</p><a1>1</a1><a2>2</a2>");
  for (std::size_t length = head.size() + 1; length < whole.size(); ++length) {
    CHECK_FALSE(refused(whole.substr(0, length)).empty());
  }
  CHECK(refused(whole).empty());
  std::string deep;
  for (int i = 0; i < 100000; ++i)
    deep += "<a>";
  CHECK_FALSE(refused(deep).empty());
  for (int i = 0; i < 100000; ++i)
    deep += "</a>";
  CHECK(act::tasks::read_copa({"c", deep}).empty());
}
