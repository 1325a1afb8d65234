// What a browser makes of a page: Chromium without a window, where it is installed.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "temporary_folder.hpp"

namespace act_test {

/// Whether there is one; a test says that it is skipped where there is none.
inline bool has_chromium() {
  return std::system("command -v chromium >/dev/null 2>&1") == 0;
}

/// The document as it stands once the page and its scripts have run, as HTML; empty where Chromium failed.
/// `more` are options of Chromium.
inline std::string dom_of(const std::string& page, const std::string& more = {}) {
  const temporary_folder folder;
  const std::string path = folder.write("page.html", page);
  const std::string command = "chromium --headless --no-sandbox --disable-gpu --user-data-dir='" +
                              (folder / "profile").string() + "' " + more + " --dump-dom 'file://" + path +
                              "' 2>/dev/null";
  std::string dom;
  FILE* const out = popen(command.c_str(), "r");
  if (out == nullptr) return {};
  std::array<char, 4096> piece{};
  for (std::size_t read; (read = std::fread(piece.data(), 1, piece.size(), out)) > 0;)
    dom.append(piece.data(), read);
  return pclose(out) == 0 ? dom : std::string();
}

}  // namespace act_test
