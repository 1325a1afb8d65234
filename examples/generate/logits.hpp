// act-generate --logits: one whole pass over given tokens.
#pragma once

#include <act/report/provenance.hpp>

#include <optional>

namespace act::search {
struct heads_file;
}

namespace act_program {

class command_line;
struct generate_options;

/// Plain and calibrated; the tokenizer isn't looked at.
void write_logits(const command_line& line, const generate_options& options,
                  const act::report::provenance_clock& clock,
                  const std::optional<act::search::heads_file>& heads);

}  // namespace act_program
