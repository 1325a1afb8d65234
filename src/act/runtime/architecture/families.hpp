// The model families, each in a file of its name. For architectures.cpp, which lists them.
#pragma once

#include <act/runtime/architecture/architecture.hpp>

namespace act::runtime {

extern const architecture bloom;
extern const architecture gemma2;
extern const architecture gemma3;  // with images; its text model alone is read
extern const architecture gemma3_text;
extern const architecture gpt2;
extern const architecture gpt_neox;
extern const architecture gptj;
extern const architecture llama;
extern const architecture mistral;
extern const architecture olmo2;
extern const architecture opt;
extern const architecture phi3;
extern const architecture qwen2;
extern const architecture qwen3;
extern const architecture stablelm;

}  // namespace act::runtime
