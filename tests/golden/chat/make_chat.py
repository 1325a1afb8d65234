"""Renders conversations with transformers' Jinja: the golden of chat_template_test.cpp.

The templates are those the models publish (SmolLM2-135M-Instruct's GGUF file, Llama-2-7b-chat-hf,
Mistral-7B-Instruct v0.1 and v0.2); Vicuna publishes none, its format is FastChat's "vicuna_v1.1", written in
Jinja here. Usage: python make_chat.py > chat.json
"""
import json

import transformers
from transformers.utils.chat_template_utils import render_jinja_template

ALTERNATE = (
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must "
    "alternate user/assistant/user/assistant/...') }}{% endif %}"
)
SPLIT_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = SYSTEM %}{% endif %}"
)
TEMPLATES = {
    "smollm2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama2": SPLIT_SYSTEM.replace("SYSTEM", "false")
    + "{% for message in loop_messages %}"
    + ALTERNATE
    + "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}"
    "{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "vicuna": SPLIT_SYSTEM.replace(
        "SYSTEM",
        '"A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, '
        "detailed, and polite answers to the user's questions.\"",
    )
    + "{{ bos_token + system_message + ' ' }}{% for message in loop_messages %}{% if message['role'] == 'user' %}"
    "{{ 'USER: ' + message['content'] + ' ' }}{% else %}{{ 'ASSISTANT: ' + message['content'] + eos_token }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}",
    "mistral": "{{ bos_token }}{% for message in messages %}"
    + ALTERNATE
    + "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}"
    "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
    "mistral-v0.1": "{{ bos_token }}{% for message in messages %}"
    + ALTERNATE
    + "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}{% else %}"
    "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
}

SYSTEM = {"role": "system", "content": " Answer in one word. "}
TURNS = [
    {"role": "user", "content": "What is the capital of Peru?\n"},
    {"role": "assistant", "content": "  Lima "},
    {"role": "user", "content": "And of Brazil? \u00e4\u2603"},
    {"role": "assistant", "content": "Bras\u00edlia"},
    {"role": "user", "content": "\tThanks"},
]
CONVERSATIONS = [TURNS[:1], TURNS[:3], TURNS, [SYSTEM] + TURNS[:1], [SYSTEM] + TURNS[:3], [SYSTEM] + TURNS]


def render(template, messages):
    rendered, _ = render_jinja_template(
        conversations=[messages],
        chat_template=template,
        add_generation_prompt=True,
        bos_token="<s>",
        eos_token="</s>",
    )
    return rendered[0]


cases = []
for name, template in TEMPLATES.items():
    for messages in CONVERSATIONS:
        if name.startswith("mistral") and messages[0]["role"] == "system":
            continue
        cases.append({"template": name, "messages": messages, "text": render(template, messages)})
print(
    json.dumps(
        {"versions": {"transformers": transformers.__version__}, "templates": TEMPLATES, "cases": cases},
        indent=1,
        ensure_ascii=True,
    )
)
