// From a chat template's text (Jinja) to what it says: the language as transformers sets it up (trim_blocks,
// lstrip_blocks, break and continue, generation), without what reads other files (include, import, extends)
// or calls code. What isn't known is refused by name: a template is run as it was written or not at all.
#pragma once

#include <act/runtime/jinja/syntax.hpp>

#include <string>
#include <string_view>

namespace act::runtime::jinja {

/// `source` prefixes errors, `mend` ends them. Throws error (unsupported) for what jinja has and this
/// doesn't, (invalid_input) for what jinja refuses too, for text that isn't UTF-8, and for templates over 512
/// KiB or nested over 200 deep: they come with models from anywhere. Cost: linear in the text.
[[nodiscard]] body parse(std::string_view text, const std::string& source, const std::string& mend);

}  // namespace act::runtime::jinja
