"""Renders small templates as transformers would: the golden of jinja_test.cpp, one for each thing that a chat template may
do. A template that fails has null for its text. Usage: python make_jinja.py > jinja.json
"""
import json

import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

MESSAGES = [
    {"role": "system", "content": " Be  short. \n"},
    {"role": "user", "content": "What's “up”?\n<b>2 + 2</b>\t"},
    {"role": "assistant", "content": "\u00a0<think>\nhm\n</think>\n\n4 \u3000"},
    {"role": "user", "content": "ünïcode ☃ and 'quotes' \"both\" \\ {braces}"},
]
VARIABLES = {"messages": MESSAGES, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>", "n": 7, "x": -2.5,
             "yes": True, "nothing": None, "words": ["b", "a", "c"], "empty": [], "pair": {"one": 1, "two": "zwei"}}

TEMPLATES = [
    # text, tags and the white space around them
    "plain text", "line\n", "line\n\n", "a\r\nb\rc\r\n", "", "\n", "  {{ n }}  ", "a{{ n }}b\nc", "{{ n }}\n{{ n }}\n",
    "a\n  {% if yes %}\n  b\n  {% endif %}\nc\n", "a\n  {%- if yes -%}\n  b\n  {%- endif -%}\nc\n",
    "a\n  {%+ if yes %}\n  b\n  {%+ endif +%}\nc", "  {% if yes %}x{% endif %}  {% if yes %}y{% endif %}\n  z",
    "a {#- gone -#} b {# gone #}\nc\n  {# gone #}\nd{#+ gone +#}\ne", "{% raw %}{{ n }} {% if %}{% endraw %}\nx",
    "a  {%- raw -%}  {{ n }}  {%- endraw -%}  b", "\u00a0 {%- if yes -%} \u3000x\u2028 {%- endif -%}\u2009y",
    "{{- n -}} \n {{ n +}}", "{{ n }}{{-n}}{{- n}}", "{% if yes %}\n\n\nx{% endif %}", "{{ '{{' }}{{ \"}}\" }}{{ '%}' }}",
    "{ {{ n }} } {n} %} #} }}", "{{ {'a': {'b': 'c'}}['a']['b'] }}", "tab\t{%- if yes %}\tx{% endif %}",
    # literals
    "{{ 'a\\n\\t\\\\\\'\\\"\\x41\\u2603\\U0001F600\\q' }}", "{{ \"it's\" }}{{ 'say \"a\"' }}", "{{ 'a' 'b' \"c\" }}",
    "{{ 1_000 }} {{ 0 }} {{ 00 }} {{ 1.5 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1e16 }} {{ 123456789.0 }} {{ 0.1 + 0.2 }}",
    "{{ true }}{{ True }}{{ false }}{{ False }}{{ none }}{{ None }}", "{{ [1, 'a', [2]][2][0] }}{{ (1, 2)[1] }}{{ (3) }}",
    "{{ [1, 2,] | length }}{{ () | length }}{{ {} | length }}{{ (1,) | length }}", "{{ 'multi\nline' }}",
    "{{ 9223372036854775807 }}",
    # names and members
    "{{ missing }}|{{ missing is defined }}|{{ n is defined }}|{{ messages[0].missing }}|{{ messages[0]['missing'] }}",
    "{{ missing.x }}", "{{ missing['x'] }}", "{{ missing + 'a' }}", "{{ missing() }}", "{{ nothing.x }}", "{{ nothing['x'] }}",
    "{{ messages[0].role }}{{ messages[1]['role'] }}{{ messages[-1].role }}{{ messages.0.role }}{{ messages[99] }}",
    "{{ pair.one }}{{ pair['two'] }}{{ pair.two[0] }}{{ pair.three }}", "{{ 'abc'[1] }}{{ 'ü☃x'[1] }}{{ 'abc'[-1] }}{{ 'abc'[9] }}",
    "{{ messages[1:] | length }}{{ messages[:-1] | length }}{{ messages[1:3] | length }}{{ messages[::-1][0].role }}",
    "{{ 'ü☃xyz'[1:3] }}{{ 'abcdef'[::2] }}{{ 'abcdef'[::-1] }}{{ 'abcdef'[-2:] }}{{ 'abcdef'[4:1:-1] }}{{ 'abc'[5:] }}",
    "{{ 'abcdef'[:-10] }}|{{ 'abcdef'[-10:2] }}|{{ 'abcdef'[-1:-4:-2] }}|{{ 'abc'[::9] }}|{{ 'abc'[::-9] }}|{{ 'abc'[none:2] }}",
    "{{ 'abc'[::0] }}", "{{ n[0] }}|{{ n.x }}|{{ yes.x }}",
    # operators
    "{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 7 / 2 }} {{ 6 / 2 }}",
    "{{ 1.5 + 1 }} {{ 7.5 // 2 }} {{ x * 2 }} {{ -x }} {{ +n }} {{ - n - 1 }} {{ 2 - -2 }} {{ true + 1 }}", "{{ 1 / 0 }}",
    "{{ 1 // 0 }}", "{{ 'a' + 'b' }}{{ 'a' ~ 1 ~ none ~ true ~ 1.0 ~ missing }}", "{{ 'a' + 1 }}", "{{ 'ab' * 3 }}{{ 2 * 'x' }}",
    "{{ [1] + [2] == [1, 2] }}{{ [1, 'a'] == [1, 'b'] }}", "{{ 1 == 1.0 }}{{ 1 == true }}{{ '1' == 1 }}{{ none == false }}",
    "{{ 'a' < 'b' }}{{ 'ä' > 'z' }}{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 2 >= 2 }}{{ 1 != 2 }}", "{{ 'a' < 1 }}", "{{ none < 1 }}",
    "{{ 'b' in words }}{{ 'z' in words }}{{ 'z' not in words }}{{ 'ell' in 'hello' }}{{ 'one' in pair }}{{ 'a' in missing }}",
    "{{ 1 in 'a' }}", "{{ 'a' in none }}", "{{ not yes }}{{ not not yes }}{{ not missing }}{{ not '' }}{{ not empty }}{{ not 0 }}",
    "{{ '' or 'b' }}{{ 'a' or 'b' }}{{ 'a' and 'b' }}{{ '' and 'b' }}|{{ none or missing }}", "{{ yes and n == 7 or false }}",
    "{{ 'a' if yes else 'b' }}{{ 'a' if missing else 'b' }}{{ 'a' if missing }}|{{ 1 if false else 2 if false else 3 }}",
    "{{ not 'a' in words }}{{ not n == 7 }}{{ not messages is defined }}", "{{ n is defined and n > 3 }}{{ 'a' ~ 'b' == 'ab' }}",
    "{{ 1 ~ 2 + 3 }}", "{{ 2 ** 3 ** 2 }}", "{{ -2 ** 2 }}", "{{ 'a' if false else 'b' ~ 'c' }}", "{{ 1 - 1 - 1 }}{{ 8 / 2 / 2 }}",
    # tests
    "{{ n is number }}{{ 'a' is string }}{{ n is string }}{{ pair is mapping }}{{ words is sequence }}{{ 'a' is sequence }}",
    "{{ words is iterable }}{{ n is iterable }}{{ none is none }}{{ nothing is none }}{{ missing is none }}{{ yes is boolean }}",
    "{{ yes is true }}{{ 1 is true }}{{ yes is false }}{{ n is odd }}{{ n is even }}{{ n is divisibleby 7 }}{{ n is divisibleby(2) }}",
    "{{ n is integer }}{{ x is float }}{{ yes is integer }}{{ yes is number }}{{ n is eq 7 }}{{ n is equalto(8) }}{{ n is in [7] }}",
    "{{ n is not defined }}{{ missing is not defined }}{{ missing is undefined }}{{ words is not string and n is number }}",
    "{{ missing is sequence }}{{ missing is iterable }}{{ pair.items is callable }}{{ n is gt 3 }}{{ n is ne 7 }}", "{{ n is nonsense }}",
    "{{ 'x' is string is true }}",
    # filters
    "[{{ messages[0].content | trim }}][{{ messages[2].content | trim }}][{{ 'xxaxx' | trim('x') }}][{{ 12 | trim }}]",
    "{{ messages | length }}{{ 'ü☃' | length }}{{ pair | length }}{{ missing | length }}{{ words | count }}", "{{ n | length }}",
    "{{ 'aBc' | upper }}{{ 'aBc' | lower }}{{ 'hello wORLD' | capitalize }}", "{{ words | join }}{{ words | join(', ') }}{{ [1, 2.0, none] | join('-') }}",
    "{{ missing | default('d') }}{{ '' | default('d') }}|{{ '' | default('d', true) }}{{ none | default('d') }}{{ missing | d }}|{{ '' | default('d', boolean=true) }}",
    "{{ words | first }}{{ words | last }}{{ 'abc' | first }}{{ empty | first }}|{{ words | reverse | join }}{{ 'abc' | reverse }}",
    "{{ 'a-b-a' | replace('a', 'x') }}{{ 'a-b-a' | replace('a', 'xx', 1) }}", "{{ 12 | string + 'a' }}{{ '12' | int + 1 }}{{ ' 7 ' | int }}{{ 'x' | int }}{{ 'x' | int(5) }}{{ 3.9 | int }}{{ -3.9 | int }}",
    "{{ words | list | length }}{{ 'ab' | list | join('.') }}{{ pair | list | join }}", "{{ x | abs }}{{ n | abs }}",
    "{{ messages | map(attribute='role') | join(' ') }}{{ words | map('upper') | join }}{{ words | map('replace', 'a', 'z') | join }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | rejectattr('role', '==', 'user') | map(attribute='role') | join(',') }}",
    "{{ [0, 1, '', 'a'] | select | list | length }}{{ [1, 2, 3, 4] | select('odd') | join }}{{ [1, 2, 3] | reject('gt', 1) | join }}",
    "{{ messages | selectattr('content') | list | length }}{{ messages | selectattr('tool_calls', 'defined') | list | length }}",
    "{{ messages[3].content | tojson }}{{ pair | tojson }}{{ [1, 2.5, none, true, 'a\\n\\x01'] | tojson }}{{ {} | tojson }}",
    "{{ pair.items() | list | length }}{% for k, v in pair | items %}{{ k }}={{ v }};{% endfor %}", "{{ 'a' | nonsense }}", "{{ 'a' | safe }}",
    "{{ messages[1].content | trim | upper if false else 'no' }}", "{{ 'a,b' | trim | replace(',', ';') }}", "{{ ('a' ~ 'b') | upper }}{{ 'a' ~ 'b' | upper }}",
    "{{ -1 | abs }}{{ 1 + 2 | string }}",
    # methods
    "[{{ messages[2].content.strip() }}][{{ messages[0].content.lstrip() }}][{{ messages[0]['content'].rstrip() }}][{{ 'xay'.strip('xy') }}][{{ '   '.strip() }}][{{ '   '.rstrip() }}]",
    "{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith('ab') }}{{ 'abc'.startswith(('x', 'a')) }}{{ 'a'.upper() }}{{ 'A'.lower() }}{{ 'two words'.title() }}{{ 'two Words'.capitalize() }}",
    "{{ messages[2].content.split('</think>')[-1].lstrip('\\n') }}|{{ messages[2].content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') }}",
    "{{ 'a b  c'.split() | join('|') }}{{ ' a '.split() | length }}{{ 'a,b,c'.split(',', 1) | join('|') }}{{ ',a,'.split(',') | length }}{{ ''.split(',') | length }}{{ ''.split() | length }}",
    "{{ 'a-b'.replace('-', '+') }}{{ 'aaa'.replace('a', 'b', 2) }}{{ 'abcb'.find('b') }}{{ 'ü☃x'.find('x') }}{{ 'a'.find('z') }}{{ 'abab'.count('ab') }}",
    "{{ ', '.join(words) }}{{ 'prefix-x'.removeprefix('prefix-') }}{{ 'x-suffix'.removesuffix('-suffix') }}", "{{ 'a'.split('') }}", "{{ ','.join([1]) }}",
    "{{ pair.get('one') }}{{ pair.get('three') }}{{ pair.get('three', 'd') }}{{ pair.keys() | join(',') }}{{ pair.values() | join(',') }}",
    "{% for k, v in pair.items() %}{{ loop.index }}{{ k }}{{ v }}{% endfor %}", "{{ 'a'.nonsense() }}", "{{ words.nonsense }}|{{ 'a'.nonsense }}|{{ pair.nonsense }}",
    "{{ words.append('d') }}", "{{ pair.update({}) }}", "{{ 'a b'.split }}" if False else "{{ ''.join(words) }}",
    # statements
    "{% if missing %}a{% elif n == 7 %}b{% elif true %}c{% else %}d{% endif %}{% if empty %}a{% else %}e{% endif %}",
    "{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }};{% endfor %}",
    "{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ loop.length }}{{ loop.last }}{% else %}none{% endfor %}{% for m in empty %}x{% else %}none{% endfor %}",
    "{% for c in 'üb☃' %}{{ c }}.{% endfor %}{% for k in pair %}{{ k }}{% endfor %}{% for z in missing %}x{% else %}e{% endfor %}", "{% for z in none %}{% endfor %}", "{% for z in 5 %}{% endfor %}",
    "{% for m in messages %}{% if loop.index == 2 %}{% continue %}{% endif %}{% if loop.index == 4 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4]] %}{{ a + b }}{% endfor %}{% for (a, b) in [(1, 2)] %}{{ a }}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined }}>{{ loop.nextitem.role if not loop.last }};{% endfor %}",
    "{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(5, 1, -2) %}{{ i }}{% endfor %}{{ range(4) | length }}{{ range(2, 4) | list | join }}",
    "{% for i in range(2) %}{% for j in range(2) %}{{ loop.index }}{{ i }}{{ j }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% set a = 1 %}{{ a }}{% set a = a + 1 %}{{ a }}{% set b, c = 'x', 'y' %}{{ b }}{{ c }}{% set d %}block {{ a }}{% endset %}[{{ d }}]{{ d | length }}",
    "{% set a = 1 %}{% for i in range(3) %}{{ a }}{% set a = a + 1 %}{{ a }} {% endfor %}{{ a }}", "{% if yes %}{% set inner = 'seen' %}{% endif %}{{ inner }}",
    "{% set ns = namespace(found=false, n=0) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.found = true %}{% set ns.n = ns.n + 1 %}{% endif %}{% endfor %}{{ ns.found }}{{ ns.n }}{{ ns.missing }}",
    "{% set a = 1 %}{% set a.b = 2 %}", "{% set ns = namespace() %}{% set ns.text = '' %}{% for w in words %}{% set ns.text = ns.text ~ w %}{% endfor %}{{ ns.text }}",
    "{% macro say(what, twice=false, mark='!') %}{{ what }}{{ mark }}{% if twice %}{{ what }}{% endif %}{% endmacro %}{{ say('a') }}{{ say('b', true) }}{{ say('c', mark='?') }}{{ say(what='d') }}",
    "{% macro f(a) %}[{{ a }}{{ a is defined }}]{% endmacro %}{{ f() }}{{ f(none) }}", "{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}", "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{% endmacro %}{{ f(b=1) }}",
    "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% set a = 1 %}{% macro f() %}{{ a }}{% endmacro %}{% set a = 2 %}{{ f() }}", "{% macro f() %} x {% endmacro %}{{ f() | trim }}{{ f().strip() }}",
    "{% for i in range(2) %}{% set a = i %}{{ f(a) if f is defined else 'no f' }}{% endfor %}", "{% generation %}{{ n }}{% endgeneration %}", "{{ raise_exception('no') }}", "{% if false %}{{ raise_exception('no') }}{% endif %}ok",
    "{% for m in messages %}{%- if m['role'] == 'user' -%}\n  U: {{ m['content'] }}\n{%- else -%}\n  O: {{ m.content }}\n{% endif %}\n{% endfor %}",
    "{% set loop_messages = messages[1:] if messages[0].role == 'system' else messages %}{{ loop_messages | length }}",
    "{% for m in messages %}{% set last = loop.last %}{% endfor %}{{ last is defined }}", "{% for m in messages %}{{ loop.cycle is defined }}{% break %}{% endfor %}{{ loop is defined }}",
    "{{ messages }}" if False else "{{ messages[0] is mapping }}", "{% for i in range(100001) %}{% endfor %}", "{{ ([1] * 3) | length }}" if False else "{{ [[1, 2], [3]] | map('length') | join }}",
    "{{ dict(a=1).a }}{{ dict(a=1, b=2) | length }}",
    # what jinja refuses to read
    "{{", "{{ }}", "{{ n", "{% if %}x{% endif %}", "{% if yes %}", "{% endif %}", "{% for %}{% endfor %}", "{% nonsense %}", "{{ n | }}", "{{ n. }}", "{{ (n }}", "{{ n) }}", "{{ [1, 2 }}", "{{ 'a }}", "{# open",
    "{{ n n }}", "{{ f(a=1, 2) }}", "{% break %}", "{% set %}", "{{ 1 = 2 }}", "{{ {'a' 1} }}", "{% macro f(a=1, b) %}{% endmacro %}", "{{ ? }}", "{% if yes %}{% else %}{% else %}{% endif %}", "{% for a in b %}{% endif %}",
]

cases = []
for source in TEMPLATES:
    try:
        text = _compile_jinja_template(source).render(**VARIABLES)
    except Exception:
        text = None
    cases.append([source, text])
print(json.dumps({"versions": {"transformers": transformers.__version__}, "variables": VARIABLES, "cases": cases}, indent=0,
                 ensure_ascii=True))
