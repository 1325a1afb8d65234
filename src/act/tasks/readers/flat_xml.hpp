// The part of XML that data sets written by hand use: elements, attributes, text, the five named entities,
// character references, comments, a declaration and a DOCTYPE that declares nothing. Everything else (CDATA,
// entity declarations, namespaces' meaning) is refused rather than misread. No document tree: the events come
// in order.
#pragma once

#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/lines.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::tasks {

enum class xml_event_kind { open, text, close };

struct xml_event {
  xml_event_kind kind;
  std::size_t line;                                            ///< from 1
  std::string name;                                            ///< of the element, for open and close
  std::string text;                                            ///< decoded, for text
  std::map<std::string, std::string, std::less<>> attributes;  ///< decoded, for open
};

namespace detail {

class flat_xml_scanner {
 public:
  explicit flat_xml_scanner(const io::text_file& file) : file_(file), rest_(without_bom(file.text)) {}

  std::vector<xml_event> events() {
    if (io::find_invalid_utf8(rest_) != std::string_view::npos) {
      take(io::find_invalid_utf8(rest_));
      refuse("isn't UTF-8; convert the file to UTF-8");
    }
    while (!rest_.empty()) {
      if (rest_.starts_with("<!--")) {
        take_until("-->", "a comment");
      } else if (rest_.starts_with("<?")) {
        take_until("?>", "a declaration");
      } else if (rest_.starts_with("<!DOCTYPE") && rest_.substr(0, rest_.find('>')).find('[') == rest_.npos) {
        take_until(">", "a DOCTYPE");
      } else if (rest_.starts_with("<!")) {
        refuse("only elements, text and comments are read here; remove this declaration");
      } else if (rest_.starts_with('<')) {
        tag();
      } else {
        text();
      }
    }
    if (!open_.empty()) {
      refuse("the file ends inside element '" + open_.back() + "'; is it complete?");
    }
    return std::move(events_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { bad_line(file_, line_, what); }

  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    line_ += static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view take_until(std::string_view end, const std::string& what) {
    const std::size_t at = rest_.find(end);
    if (at == std::string_view::npos) {
      refuse(what + " is never closed; is the file complete?");
    }
    const std::string_view taken = take(at);
    take(end.size());
    return taken;
  }

  void skip_blank() { take(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string name() {
    const std::size_t end = std::min(rest_.find_first_of(" \t\r\n=/<>\"'&"), rest_.size());
    if (end == 0) {
      refuse("a tag or attribute has no name");
    }
    return std::string(take(end));
  }

  void tag() {
    xml_event event{xml_event_kind::open, line_, {}, {}, {}};
    take(1);
    if (rest_.starts_with('/')) {
      take(1);
      close(name());
      skip_blank();
      if (!rest_.starts_with('>')) {
        refuse("a closing tag isn't ended by >");
      }
      take(1);
      return;
    }
    event.name = name();
    if (open_.size() >= 64) {
      refuse("nested deeper than 64 elements");
    }
    open_.push_back(event.name);
    for (skip_blank(); !rest_.starts_with('>') && !rest_.starts_with("/>"); skip_blank()) {
      const std::string key = name();
      skip_blank();
      if (!rest_.starts_with('=')) {
        refuse("attribute " + excerpt(key) + " has no value");
      }
      take(1);
      skip_blank();
      if (!rest_.starts_with('"') && !rest_.starts_with('\'')) {
        refuse("the value of attribute " + excerpt(key) + " isn't quoted");
      }
      const std::string quote(take(1));
      if (!event.attributes.emplace(key, decoded(take_until(quote, "the value of an attribute"))).second) {
        refuse("attribute " + excerpt(key) + " appears twice");
      }
    }
    const bool empty = rest_.starts_with('/');
    take(empty ? 2 : 1);
    events_.push_back(event);
    if (empty) {
      close(event.name);
    }
  }

  void close(const std::string& closed) {
    if (open_.empty() || open_.back() != closed) {
      refuse("element " + excerpt(closed) + " is closed here but isn't the one that is open");
    }
    open_.pop_back();
    events_.push_back({xml_event_kind::close, line_, closed, {}, {}});
  }

  void text() {
    const std::size_t line = line_;
    const std::string_view raw = take(std::min(rest_.find('<'), rest_.size()));
    if (!open_.empty()) {
      events_.push_back({xml_event_kind::text, line, {}, decoded(raw), {}});
    } else if (!trimmed(raw).empty()) {
      refuse("text stands outside every element");
    }
  }

  std::string decoded(std::string_view raw) const {
    std::string plain;
    while (!raw.empty()) {
      const std::size_t mark = std::min(raw.find('&'), raw.size());
      plain += raw.substr(0, mark);
      raw.remove_prefix(mark);
      if (raw.empty()) {
        break;
      }
      const std::size_t end = raw.find(';');
      const std::string_view entity = raw.substr(1, end == std::string_view::npos ? end : end - 1);
      plain += end == std::string_view::npos ? unknown(entity) : character(entity);
      raw.remove_prefix(end + 1);
    }
    return plain;
  }

  [[noreturn]] std::string unknown(std::string_view entity) const {
    refuse("unknown entity " + excerpt(entity) + "; write & as &amp;");
  }

  std::string character(std::string_view entity) const {
    static const std::map<std::string, std::string, std::less<>> named = {
        {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};
    if (const auto found = named.find(entity); found != named.end()) {
      return found->second;
    }
    const bool hexadecimal = entity.starts_with("#x");
    const std::string digits(entity.substr(std::min<std::size_t>(hexadecimal ? 2 : 1, entity.size())));
    if (!entity.starts_with('#') || digits.empty() || digits.size() > 7 ||
        digits.find_first_not_of(hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") !=
            std::string::npos) {
      return unknown(entity);
    }
    const auto code = static_cast<std::uint32_t>(std::stoul(digits, nullptr, hexadecimal ? 16 : 10));
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
      return unknown(entity);
    }
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      return {static_cast<char>(code)};
    }
    if (code < 0x800) {
      return {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
    }
    if (code < 0x10000) {
      return {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
    }
    return {static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0)};
  }

  const io::text_file& file_;
  std::string_view rest_;
  std::size_t line_ = 1;
  std::vector<std::string> open_;
  std::vector<xml_event> events_;
};

}  // namespace detail

/// Every element's opening, text and closing, in order. Throws error (invalid_input) with the line for
/// anything that isn't well formed or isn't in the subset above. Cost: linear in the file.
inline std::vector<xml_event> parse_flat_xml(const io::text_file& file) {
  return detail::flat_xml_scanner(file).events();
}

}  // namespace act::tasks
