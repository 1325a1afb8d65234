#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/copa.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/sample.hpp>

#include <pugixml.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace act::tasks {

namespace {

void check_question(const std::string& place, const std::string& question) {
  if (question != "cause" && question != "effect") {
    throw error(error_code::invalid_input, place,
                "asks for " + excerpt(question) + "; it must be cause or effect");
  }
}

std::vector<sample> read_json_lines(const io::text_file& file) {
  std::vector<sample> samples;
  for_each_json_line(file, [&](const json_record& record) {
    sample& read = samples.emplace_back();
    read.fields["premise"] = record.text("premise");
    read.fields["question"] = record.text("question");
    check_question(record.place, read.fields["question"]);
    read.choices = {record.text("choice1"), record.text("choice2")};
    read.label = record.index("label", 2);
  });
  return samples;
}

// What pugixml lets pass and a reader of samples must not: it reads on after text outside every element,
// takes the first of two attributes of one name, leaves entities that it doesn't know as they are, and passes
// over a DOCTYPE, which may declare them.
class copa_xml {
 public:
  explicit copa_xml(const io::text_file& file)
      : file_(file),
        text_(without_bom(file.text)),
        ascii_(std::all_of(text_.begin(), text_.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    for (std::size_t at = text_.find('\n'); at != std::string_view::npos; at = text_.find('\n', at + 1))
      line_ends_.push_back(static_cast<std::ptrdiff_t>(at));
    if (const std::size_t at = io::find_invalid_utf8(text_); at != std::string_view::npos) {
      refuse(static_cast<std::ptrdiff_t>(at), "isn't UTF-8; convert the file to UTF-8");
    }
    if (const std::size_t at = text_.find('\0'); at != std::string_view::npos) {
      refuse(static_cast<std::ptrdiff_t>(at), "holds a byte 0, which no text has; is the file damaged?");
    }
  }

  std::vector<sample> samples() {
    // First with references as they are written: once resolved, a wrong one can't be told from text.
    parse(exact);
    each_node([this](const pugi::xml_node& node) { check(node); });
    parse(exact | pugi::parse_escapes);
    std::vector<sample> read;
    each_node([&](const pugi::xml_node& node) {
      if (std::string_view(node.name()) == "item") read.push_back(sample_of(node));
    });
    return read;
  }

 private:
  // Every node, every byte of text as it stands, and text outside the elements as a node to be refused.
  static constexpr unsigned exact = pugi::parse_cdata | pugi::parse_ws_pcdata | pugi::parse_declaration |
                                    pugi::parse_doctype | pugi::parse_fragment;

  // From the ends of all lines, found once: every item's line is asked for.
  [[nodiscard]] std::size_t line_at(std::ptrdiff_t byte) const {
    return 1 + static_cast<std::size_t>(std::lower_bound(line_ends_.begin(), line_ends_.end(), byte) -
                                        line_ends_.begin());
  }
  [[noreturn]] void refuse(std::ptrdiff_t byte, const std::string& what) const {
    bad_line(file_, line_at(byte), what);
  }
  [[noreturn]] void refuse(const pugi::xml_node& node, const std::string& what) const {
    refuse(node.offset_debug(), what);
  }

  void parse(unsigned how) {
    const pugi::xml_parse_result parsed =
        document_.load_buffer(text_.data(), text_.size(), how, pugi::encoding_utf8);
    if (!parsed) {
      refuse(parsed.offset,
             "isn't well-formed XML (" + std::string(parsed.description()) + "); is the file complete?");
    }
  }

  // pugixml's own walk, which needs no stack however deep elements nest.
  void each_node(const std::function<void(const pugi::xml_node&)>& use) {
    struct walker : pugi::xml_tree_walker {
      explicit walker(const std::function<void(const pugi::xml_node&)>& with) : use(with) {}
      bool for_each(pugi::xml_node& node) override {
        use(node);
        return true;
      }
      const std::function<void(const pugi::xml_node&)>& use;
    } walk(use);
    document_.traverse(walk);
  }

  void check(const pugi::xml_node& node) const {
    switch (node.type()) {
      case pugi::node_doctype:
        if (std::string_view(node.value()).find('[') != std::string_view::npos) {
          refuse(node, "the DOCTYPE declares what the text may mean; remove it");
        }
        break;
      case pugi::node_declaration: {
        std::string encoding = node.attribute("encoding").value();
        std::transform(encoding.begin(), encoding.end(), encoding.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
        if (!encoding.empty() && encoding != "UTF-8" && encoding != "UTF8" && !ascii_) {
          refuse(node, "says that its encoding is " + excerpt(encoding) +
                           "; convert the file to UTF-8 and its first line with it");
        }
        break;
      }
      case pugi::node_pcdata:
      case pugi::node_cdata:
        if (node.parent().type() != pugi::node_element) {
          const std::string_view text = node.value();
          if (const std::size_t at = text.find_first_not_of(" \t\r\n"); at != std::string_view::npos) {
            refuse(node.offset_debug() + static_cast<std::ptrdiff_t>(at),
                   "text stands outside every element; remove it");
          }
        } else if (node.type() == pugi::node_pcdata) {
          check_references(node.value(), [&](std::size_t at) {
            return node.offset_debug() + static_cast<std::ptrdiff_t>(at);
          });
        }
        break;
      case pugi::node_element:
        check_attributes(node);
        break;
      default:
        break;
    }
  }

  void check_attributes(const pugi::xml_node& element) const {
    std::set<std::string_view> names;
    for (const pugi::xml_attribute& each : element.attributes()) {
      if (!names.insert(each.name()).second) {
        refuse(element, "attribute " + excerpt(each.name()) + " appears twice; remove one");
      }
      check_references(each.value(), [&](std::size_t) { return element.offset_debug(); });
    }
  }

  // `place` gives the byte of the file at which a byte of `text` stands, or near which.
  template <class Place>
  void check_references(std::string_view text, const Place& place) const {
    for (std::size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
      const std::size_t end = text.find(';', at);
      const std::string_view name = text.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
      if (end == std::string_view::npos || !is_known(name)) {
        refuse(place(at), "unknown entity " + excerpt(name) + "; write & as &amp;");
      }
    }
  }

  // One of the five names, or the number of a character.
  static bool is_known(std::string_view name) {
    if (!name.starts_with('#')) {
      return name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
    }
    const bool hexadecimal = name.starts_with("#x");
    const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
    std::uint32_t code = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, hexadecimal ? 16 : 10);
    return problem == std::errc{} && end == digits.data() + digits.size() && code > 0 && code <= 0x10FFFF &&
           (code < 0xD800 || code > 0xDFFF);
  }

  sample sample_of(const pugi::xml_node& item) const {
    const auto attribute = [&](const char* name) {
      const pugi::xml_attribute found = item.attribute(name);
      if (!found) refuse(item, "the item has no " + std::string(name) + "; add it");
      return std::string(found.value());
    };
    if (item.find_node([](const pugi::xml_node& node) { return std::string_view(node.name()) == "item"; })) {
      refuse(item, "the item that begins here holds another; is a closing tag missing?");
    }
    const std::string place = place_of(file_, line_at(item.offset_debug()));
    sample read;
    read.fields["question"] = attribute("asks-for");
    check_question(place, read.fields["question"]);
    read.label =
        label_position(place, attribute("most-plausible-alternative"), std::vector<std::string>{"1", "2"});
    read.fields["premise"] = text_in(item, "p");
    read.choices = {text_in(item, "a1"), text_in(item, "a2")};
    return read;
  }

  std::string text_in(const pugi::xml_node& item, const char* name) const {
    const pugi::xml_node element = item.child(name);
    if (element.next_sibling(name)) {
      refuse(element.next_sibling(name), "the item has a second " + std::string(name) + "; remove one");
    }
    std::string text;
    for (const pugi::xml_node& part : element.children()) {
      if (part.type() == pugi::node_element) {
        refuse(part, "element " + excerpt(part.name()) + " stands inside " + name + "; keep its text only");
      }
      text += part.value();
    }
    if (text.empty()) {
      refuse(item, "the item that begins here lacks one of p, a1, a2; add it");
    }
    return text;
  }

  const io::text_file& file_;
  std::string_view text_;
  bool ascii_;
  std::vector<std::ptrdiff_t> line_ends_;
  pugi::xml_document document_;
};

}  // namespace

std::vector<sample> read_copa(const io::text_file& file) {
  return trimmed(without_bom(file.text)).starts_with('<') ? copa_xml(file).samples() : read_json_lines(file);
}

}  // namespace act::tasks
