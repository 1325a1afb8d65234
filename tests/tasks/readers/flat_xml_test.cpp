// The part of XML that is read, and that everything else is refused.
#include "../message_of.hpp"

#include <act/tasks/readers/flat_xml.hpp>

#include <doctest/doctest.h>

namespace {

std::string refused_xml(const std::string& text) {
  return act_test::message_of([&] { act::tasks::parse_flat_xml({"x", text}); });
}

}  // namespace

TEST_CASE("elements, attributes, entities, comments") {
  const auto events =
      act::tasks::parse_flat_xml({"x",
                                  "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'a.dtd'>\n<!-- <b> "
                                  "-->\n<a x = \"1 &lt; 2\" y='&quot;'>t&amp;&#x41;"
                                  "&#66;&#8364;&#128512;&apos;<b/>u</a>\n"});
  REQUIRE(events.size() == 6);
  CHECK(events[0].name == "a");
  CHECK(events[0].line == 4);
  CHECK(events[0].attributes.at("x") == "1 < 2");
  CHECK(events[0].attributes.at("y") == "\"");
  CHECK(events[1].text == "t&AB€😀'");
  CHECK(events[2].kind == act::tasks::xml_event_kind::open);
  CHECK(events[3].kind == act::tasks::xml_event_kind::close);
  CHECK(events[3].name == "b");
  CHECK(events[4].text == "u");
  CHECK(events[5].kind == act::tasks::xml_event_kind::close);
  CHECK(act::tasks::parse_flat_xml({"x", ""}).empty());
}

TEST_CASE("what isn't well formed or isn't known is refused with its line") {
  CHECK(refused_xml("<a>\n<b></a>") == "x:2: element 'a' is closed here but isn't the one that is open");
  CHECK(refused_xml("<a>") == "x:1: the file ends inside element 'a'; is it complete?");
  CHECK(refused_xml("</a>") == "x:1: element 'a' is closed here but isn't the one that is open");
  CHECK(refused_xml("text") == "x:1: text stands outside every element");
  CHECK(refused_xml("<a x>") == "x:1: attribute 'x' has no value");
  CHECK(refused_xml("<a x=1>") == "x:1: the value of attribute 'x' isn't quoted");
  CHECK(refused_xml("<a x='1' x='2'>") == "x:1: attribute 'x' appears twice");
  CHECK(refused_xml("<a x='1>") == "x:1: the value of an attribute is never closed; is the file complete?");
  CHECK(refused_xml("<a") == "x:1: a tag or attribute has no name");
  CHECK(refused_xml("<>") == "x:1: a tag or attribute has no name");
  CHECK(refused_xml("<a / >") == "x:1: a tag or attribute has no name");
  CHECK(refused_xml("<a></a x>") == "x:1: a closing tag isn't ended by >");
  CHECK(refused_xml("<a>&lol;</a>") == "x:1: unknown entity 'lol'; write & as &amp;");
  CHECK(refused_xml("<a>a & b</a>").starts_with("x:1: unknown entity ' b"));
  for (const char* code : {"&#0;", "&#xD800;", "&#x110000;", "&#;", "&#x;", "&#99999999;", "&;", "&#-1;"}) {
    CHECK(refused_xml("<a>" + std::string(code) + "</a>").starts_with("x:1: unknown entity"));
  }
  CHECK(refused_xml("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>") ==
        "x:1: only elements, text and comments are read here; remove this declaration");
  CHECK(refused_xml("<a><![CDATA[b]]></a>") ==
        "x:1: only elements, text and comments are read here; remove this declaration");
  CHECK(refused_xml("<!-- x") == "x:1: a comment is never closed; is the file complete?");
  CHECK(refused_xml("<a>\n\xFF</a>") == "x:2: isn't UTF-8; convert the file to UTF-8");
  std::string deep;
  for (int i = 0; i < 100000; ++i) {
    deep += "<a>";
  }
  CHECK(refused_xml(deep) == "x:1: nested deeper than 64 elements");
}

TEST_CASE("every prefix of a good file is refused or empty of harm") {
  const std::string whole = "<?xml?><!-- c --><a x='&lt;'><b>t&amp;u</b><c/></a>";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    (void)refused_xml(whole.substr(0, length));  // must neither crash nor hang
  }
  CHECK(refused_xml(whole).empty());
}
