// Nothing that is put into a page can become markup or script.
#include <act/io/json_document.hpp>
#include <act/report/pages/html_text.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

TEST_CASE("markup, quotes, control characters and broken UTF-8 in text") {
  CHECK(act::report::html_text("<script>alert('x') && \"y\"</script>") ==
        "&lt;script&gt;alert(&#39;x&#39;) &amp;&amp; &quot;y&quot;&lt;/script&gt;");
  CHECK(act::report::html_text("&lt;") == "&amp;lt;");
  CHECK(act::report::html_text("é\n\t漢") == "é\n\t漢");
  CHECK(act::report::html_text(std::string("a\0b\x1b\x7f", 5)) ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(act::report::html_text("\xff\xe2\x82") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("JSON inside a script element can't end it, and reads back as it was") {
  const nlohmann::ordered_json value{{"</script>", {"<!--", "a & b", "é\u2028", "]]>"}}};
  const std::string text = act::report::script_json(act::io::json_document::of(value));
  CHECK(text.find_first_of("<>&") == std::string::npos);
  for (const char c : text)
    CHECK(static_cast<unsigned char>(c) < 0x7f);
  CHECK(nlohmann::ordered_json::parse(text) == value);
  CHECK(act::report::script_json("\xff") == "\"\\ufffd\"");
}

TEST_CASE("base64 of every length, by RFC 4648's own examples") {
  const auto encoded = [](const std::string& text) {
    return act::report::base64(std::vector<std::uint8_t>(text.begin(), text.end()));
  };
  CHECK(encoded("") == "");
  CHECK(encoded("f") == "Zg==");
  CHECK(encoded("fo") == "Zm8=");
  CHECK(encoded("foo") == "Zm9v");
  CHECK(encoded("foob") == "Zm9vYg==");
  CHECK(encoded("foobar") == "Zm9vYmFy");
  const std::array<std::uint8_t, 3> high{0xff, 0xfb, 0xfe};
  CHECK(act::report::base64(high) == "//v+");
}
