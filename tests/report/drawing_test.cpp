// Drawings as XML: what stands in a file for papers, whatever is in its texts.
#include <act/report/pages/drawing.hpp>

#include <doctest/doctest.h>
#include <pugixml.hpp>

#include <cstddef>
#include <string>

namespace {

using act::report::drawing;

pugi::xml_document parsed(const std::string& text) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_string(text.c_str(), pugi::parse_full);
  CHECK_MESSAGE(result, result.description());
  return document;
}

}  // namespace

TEST_CASE("a file is one SVG element with its title, nothing to load and no scripts") {
  drawing made("<Sinks> & \"co\" \x1b[2J", 300, 200);
  made.text(10, 20, "</text><script>alert(1)</script>", act::report::text_side::around, "quiet");
  made.upright_text(5, 6, "up");
  made.box(1, 2, 3.456, 4, "s7", "layer 1 & 2");
  made.line(0, 0, 1.5, 2);
  made.dot(3, 4, 2, "heads");
  const std::string file = made.file();
  const pugi::xml_document document = parsed(file);
  const pugi::xml_node svg = document.child("svg");
  CHECK(std::string(svg.attribute("xmlns").value()) == "http://www.w3.org/2000/svg");
  CHECK(std::string(svg.attribute("viewBox").value()) == "0 0 300 200");
  CHECK(svg.attribute("width").as_double() == 300);
  CHECK(std::string(svg.child_value("title")) == "<Sinks> & \"co\" \xef\xbf\xbd[2J");
  CHECK(document.select_nodes("//script").empty());
  CHECK(document.select_nodes("//image|//use|//foreignObject|//*[@href]").empty());
  CHECK(document.select_nodes("//text[.='</text><script>alert(1)</script>'][@text-anchor='middle']").size() ==
        1);
  CHECK(document.select_nodes("//rect[@class='s7'][@width='3.46'][title='layer 1 & 2']").size() == 1);
  CHECK(document.select_nodes("//line[@class='axis'][@x2='1.5']").size() == 1);
  CHECK(document.select_nodes("//circle[@class='heads']").size() == 1);
  // Dark on white for print, without what few programs know.
  const std::string style = svg.child_value("style");
  CHECK(style.find("var(") == std::string::npos);
  CHECK(style.find("@media") == std::string::npos);
  CHECK(style.find(".s7{") != std::string::npos);
  CHECK(style.find("url(") == std::string::npos);
  CHECK(file.find("http") == file.find("http://www.w3.org/2000/svg"));
}

TEST_CASE("in a page the same shapes have the page's colours and no line of their own for the title") {
  drawing made("A title", 300, 200);
  made.text(10, 50, "here");
  const pugi::xml_document document = parsed(made.in_page());
  const pugi::xml_node svg = document.child("svg");
  CHECK(std::string(svg.attribute("aria-label").value()) == "A title");
  CHECK(std::string(svg.attribute("viewBox").value()) == "0 34 300 166");
  CHECK(document.select_nodes("//style").empty());
  CHECK(document.select_nodes("//text").size() == 1);
  CHECK(act::report::drawing_style.find("var(--ink)") != std::string::npos);
}

TEST_CASE("cells of one colour are one path, runs of them one box") {
  drawing made("t", 100, 100);
  made.cells(10, 20, 60, 3, [](std::size_t row, std::size_t column) {
    return column > row ? std::string() : row == 2 ? std::string("s9") : std::string("s1");
  });
  const pugi::xml_document document = parsed(made.file());
  CHECK(std::string(document.select_node("//g").node().attribute("transform").value()) ==
        "translate(10 20) scale(20.000000)");
  REQUIRE(document.select_nodes("//path").size() == 2);
  CHECK(std::string(document.select_node("//path[@class='s1']").node().attribute("d").value()) ==
        "M0 0h1v1h-1zM0 1h2v1h-2z");
  CHECK(std::string(document.select_node("//path[@class='s9']").node().attribute("d").value()) ==
        "M0 2h3v1h-3z");
}
