#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>

#include <span>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

constexpr const architecture* every_family[] = {
    &bloom,   &gemma2, &gemma3, &gemma3_text, &gpt2,  &gpt_neox, &gptj,     &llama,
    &mistral, &olmo2,  &opt,    &phi3,        &qwen2, &qwen3,    &stablelm,
};

// The names of all families where they have one, for a message.
std::string known_names(std::string_view architecture::*name) {
  std::string names;
  for (const architecture* each : every_family) {
    if (!(each->*name).empty()) names += (names.empty() ? "" : ", ") + std::string(each->*name);
  }
  return names;
}

const architecture* family_called(std::string_view wanted, std::string_view architecture::*name) {
  for (const architecture* each : every_family) {
    if (!wanted.empty() && each->*name == wanted) return each;
  }
  return nullptr;
}

}  // namespace

void keep_to_short_factors(double trained, model_config& config) {
  if (static_cast<double>(config.context) <= trained) return;
  config.context = static_cast<std::size_t>(trained);
  config.context_ends_by = "act doesn't have longrope's long factors, which longer texts need";
}

std::span<const architecture* const> architectures() noexcept {
  return every_family;
}

model_description describe(const hf_config& file) {
  const std::string type = file.model_type();
  if (const architecture* of = family_called(type, &architecture::model_type)) return of->from_folder(file);
  file.refuse("model_type", "is '" + io::printable(type) +
                                "', an architecture that act doesn't have; it has " +
                                known_names(&architecture::model_type));
}

model_description describe(const gguf_file& file) {
  const auto name = file.get<std::string_view>("general.architecture");
  if (const architecture* of = family_called(name, &architecture::gguf_name)) return of->from_gguf(file);
  throw error(error_code::unsupported, file.path(),
              "metadata 'general.architecture' is '" + io::printable(name) +
                  "', an architecture that act doesn't have in GGUF files; it has " +
                  known_names(&architecture::gguf_name));
}

}  // namespace act::runtime
