// Colours of pictures: levels, what each is on light and dark paper, and what scripts mix them from.
#include <act/report/pages/picture_colours.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace act::report;

TEST_CASE("levels go by the square root, and none is outside") {
  CHECK(share_level(0) == 0);
  CHECK(share_level(0.25) == 10);
  CHECK(share_level(1) == 20);
  CHECK(share_level(1.5) == 20);
  CHECK(share_level(-1) == 0);
  CHECK(change_level(0) == 0);
  CHECK(change_level(0.125) == 5);
  CHECK(change_level(-0.125) == -5);
  CHECK(change_level(0.9) == 10);
  CHECK(change_level(-0.5) == -10);
  CHECK(share_class(7) == "s7");
  CHECK(change_class(-3) == "l3");
  CHECK(change_class(3) == "m3");
  CHECK(change_class(0) == "m0");
}

TEST_CASE("every level has a class on both papers, and the palettes are what they are mixed from") {
  const std::string both = picture_classes(), light = light_picture_classes();
  CHECK(light.find("@media") == std::string::npos);
  CHECK(both.starts_with(light));
  const std::string dark = both.substr(both.find("prefers-color-scheme: dark"));
  for (int level = 0; level <= share_levels; ++level) {
    CHECK(light.find("." + share_class(level) + "{") != std::string::npos);
    CHECK(dark.find("." + share_class(level) + "{") != std::string::npos);
  }
  for (int level = -change_levels; level <= change_levels; ++level) {
    CHECK(light.find("." + change_class(level) + "{") != std::string::npos);
    CHECK(dark.find("." + change_class(level) + "{") != std::string::npos);
  }
  CHECK(light.find(".s20{background:#5b0000;fill:#5b0000;color:#fff}") != std::string::npos);
  CHECK(light.find(".s0{background:#ffffff;fill:#ffffff;color:#222}") != std::string::npos);
  CHECK(light.find(".s10{background:#fc8d59;") != std::string::npos);
  CHECK(light.find(".m0{background:#ffffff;") != std::string::npos);
  CHECK(light.find(".l10{background:#053061;fill:#053061;color:#fff}") != std::string::npos);
  CHECK(light.find(".m10{background:#7f3b08;") != std::string::npos);
  const auto palettes = nlohmann::json::parse(picture_palettes().text());
  CHECK(palettes["light"]["shares"].front() == nlohmann::json{255, 255, 255});
  CHECK(palettes["light"]["changes"][2] == nlohmann::json{255, 255, 255});
  CHECK(palettes["dark"]["shares"].front() == palettes["dark"]["changes"][2]);
}
