#include <act/runtime/checkpoint/ggml_type.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

struct readable_type {
  std::uint32_t number;
  tensor_type type;
};
struct refused_type {
  std::uint32_t number;
  std::string_view name;
};

// ggml.h's enum ggml_type.
constexpr readable_type readable[] = {
    {0, tensor_type::f32},   {1, tensor_type::f16},     {30, tensor_type::bf16},  {8, tensor_type::q8_0},
    {2, tensor_type::q4_0},  {3, tensor_type::q4_1},    {6, tensor_type::q5_0},   {7, tensor_type::q5_1},
    {10, tensor_type::q2_k}, {11, tensor_type::q3_k},   {12, tensor_type::q4_k},  {13, tensor_type::q5_k},
    {14, tensor_type::q6_k}, {20, tensor_type::iq4_nl}, {23, tensor_type::iq4_xs}};
// Types of what is computed with rather than stored (Q8_1, Q8_K), of tables of more than 16 values, of bits
// and ternary numbers, of other scales, of plain integers, and those that llama.cpp has given up since.
constexpr refused_type refused[] = {
    {4, "Q4_2"},    {5, "Q4_3"},        {9, "Q8_1"},        {15, "Q8_K"},       {16, "IQ2_XXS"},
    {17, "IQ2_XS"}, {18, "IQ3_XXS"},    {19, "IQ1_S"},      {21, "IQ3_S"},      {22, "IQ2_S"},
    {24, "I8"},     {25, "I16"},        {26, "I32"},        {27, "I64"},        {28, "F64"},
    {29, "IQ1_M"},  {31, "Q4_0_4_4"},   {32, "Q4_0_4_8"},   {33, "Q4_0_8_8"},   {34, "TQ1_0"},
    {35, "TQ2_0"},  {36, "IQ4_NL_4_4"}, {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"}, {39, "MXFP4"},
    {40, "NVFP4"},  {41, "Q1_0"},       {42, "Q2_0"}};

}  // namespace

std::optional<tensor_type> ggml_tensor_type(std::uint32_t number) noexcept {
  const auto* const found =
      std::find_if(std::begin(readable), std::end(readable),
                   [number](const readable_type& each) { return each.number == number; });
  return found == std::end(readable) ? std::nullopt : std::optional(found->type);
}

std::string describe_ggml_type(std::uint32_t number) {
  std::string text = "ggml type " + std::to_string(number);
  for (const refused_type& each : refused)
    if (each.number == number) text += " (" + std::string(each.name) + ")";
  return text;
}

std::string readable_ggml_types() {
  std::string list;
  for (std::size_t i = 0; i < std::size(readable); ++i) {
    if (i > 0) list += i + 1 < std::size(readable) ? ", " : " or ";
    list += name_of(readable[i].type);
  }
  return list;
}

}  // namespace act::runtime
