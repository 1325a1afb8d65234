// One set of kernels. Compiled several times: src/CMakeLists.txt says with which names (ACT_KERNELS) and
// instructions.
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/kernels/few_rows.hpp>
#include <act/runtime/products/kernels/few_rows_int8.hpp>
#include <act/runtime/products/kernels/looked_at.hpp>
#include <act/runtime/products/kernels/panels.hpp>
#include <act/runtime/products/kernels/tiles.hpp>

#define ACT_KERNELS_TEXT_(name) #name
#define ACT_KERNELS_TEXT(name) ACT_KERNELS_TEXT_(name)
#define ACT_KERNELS_TABLE_(name) kernels_##name
#define ACT_KERNELS_TABLE(name) ACT_KERNELS_TABLE_(name)

namespace act::runtime {

#ifdef ACT_LOOK_AT_TENSORS
namespace called = looked_at;
#else
namespace called = act::runtime;
#endif

extern const product_kernels ACT_KERNELS_TABLE(ACT_KERNELS);
const product_kernels ACT_KERNELS_TABLE(ACT_KERNELS){
    .name = ACT_KERNELS_TEXT(ACT_KERNELS),
    .panel_width = panel_features,
    .panel_worth_rows = few_rows + 1,
    .expand_f32 = called::expand_f32,
    .expand_bf16 = called::expand_bf16,
    .expand_int8 = called::expand_int8,
    .multiply_f32 = called::multiply_panel<word_f32>,
    .multiply_bf16 = called::multiply_panel<word_bf16>,
    .multiply_int8 = called::multiply_int8_panel,
    .convert_bf16 = called::convert_bf16,
    .convert_int8 = called::convert_int8,
    .multiply_few = called::multiply_few,
    .multiply_few_int8 = called::multiply_few_int8,
};

}  // namespace act::runtime
