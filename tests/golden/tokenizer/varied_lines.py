"""Varied lines of text for comparing tokenizers: made here from a seed, none taken from anywhere.

lines() gives the same list on every run. Each kind below is something a tokenizer can get wrong.
"""
import random

WORDS = """the of and a to in is you that it he was for on are as with his they I at be this have from or one had by word
but not what all were we when your can said there use an each which she do how their if will up other about out many then
them these so some her would make like him into time has look two more write go see number no way could people my than
first water been call who oil its now find long down day did get come made may part over new sound take only little work
know place year live me back give most very after thing our just name good sentence man think say great where help through
much before line right too mean old any same tell boy follow came want show also around form three small set put end does
another well large must big even such because turn here why ask went men read need land different home us move try kind
hand picture again change off play spell air away animal house point page letter mother answer found study still learn
should America world tokenization unbelievable antidisestablishmentarianism Mississippi GPU HTTPServer snake_case camelCase
""".split()
TAILS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'LL", "\u2019s", "'", "''s", "s'", "'x", "'vet", "'tis"]
SIGNS = list(".,;:!?-_()[]{}<>/\\|@#$%^&*+=~`\"'") + ["...", "--", "->", "::", "==", "!=", "&&", "/*", "*/", "://", "\u2014",
        "\u2026", "\u00ab", "\u00bb", "\u201c", "\u201d", "\u20ac", "\u00a3", "\u00a7", "\u00b0", "\u2122", "\u221e", "\u2260", "\u2192"]
SPACES = [" ", "  ", "   ", "    ", "        ", "\t", "\t\t", "\n", "\n\n", "\r\n", "\r", "\v", "\f", "\u00a0", "\u0085", "\u1680",
          "\u180e", "\u2000", "\u2003", "\u2009", "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff",
          " \n", "\n ", " \t ", "  \n  ", "\u00a0 ", " \u3000"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|padding|>", "<repo_name>", "<file_sep>", "<s>", "</s>", "<unk>", "<pad>",
           "<mask>", "[INST]", "[/INST]", "<<SYS>>", "<|im_start", "im_end|>", "<|endoftext", "|>", "<|", "<||im_start|>", "<0x0A>",
           "<|IM_START|>", "< |im_end|>", "<empty_output>", "\u2581"]
CODE = ["def f(x):\n    return x**2 + 1\n", "for (int i = 0; i < n; ++i) {\n\tsum += a[i];\n}\n", "#include <vector>\n",
        "{\"key\": [1, 2.5e-3, null], \"s\": \"\\u00e9\"}", "SELECT * FROM t WHERE a >= 10 AND b != 'x';", "x = lambda y: y or None\n\n\n",
        "if(!p){return -1;}//done", "<div class=\"a\">\n  <p>&nbsp;</p>\n</div>", "0x1F & ~0b1010 | 0o777", "std::vector<std::pair<int,int>> v;",
        "    \n        pass\n", "a+=b;c-=d;e*=f", "https://example.org/a?b=c&d=%20#e", "user.name@example.com", "C:\\Users\\x\\file.txt",
        "$ grep -rn 'x' . | wc -l", "\t\t\tif err != nil {\n\t\t\t\treturn err\n\t\t\t}\n", "print(f'{x:>10.3f}')", "// \u4e2d\u6587 comment",
        "let s = `a${b}c`;", "A[i][j] = (B[j][i]) * 2;", "#!/bin/sh\nset -eu\n", "\\begin{equation} x^{2} \\end{equation}"]
DIGITS = "0123456789"
OTHER_NUMBERS = "\u0660\u0665\u0669\u0966\u096f\u0e50\u0e59\u4e00\u4e09\u3007\u2160\u2167\u216f\u00b2\u00b3\u00b9\u00bd\u00be\u2460\u2473\u24ea\uff10\uff19\u06f1\u0be6\u1040\U0001d7ce\U0001d7ff\U00010107\u3220\u3280\u09f4\u0f2a"
EMOJI = ["\U0001f600", "\U0001f602", "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f1e9\U0001f1ea", "\U0001f1ef\U0001f1f5", "1\ufe0f\u20e3",
         "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u263a", "\u2728", "\U0001f9d1\U0001f3ff\u200d\U0001f680", "\U0001fae0", "\U0001f6dc", "\u00a9\ufe0f", "\U0001f595"]
MARKS = [chr(c) for c in (*range(0x300, 0x345), 0x20d0, 0x20dd, 0x64b, 0x651, 0x5b0, 0x5bc, 0x93c, 0x94d, 0xe48, 0x3099, 0x309a, 0x1dc4)]
SCRIPTS = {
    "latin": [(0xc0, 0x17f), (0x180, 0x24f), (0x1e00, 0x1eff), (0x61, 0x7a)],
    "greek": [(0x391, 0x3c9), (0x1f00, 0x1f15)], "cyrillic": [(0x410, 0x44f), (0x400, 0x40f)], "armenian": [(0x531, 0x556)],
    "hebrew": [(0x5d0, 0x5ea), (0x5b0, 0x5bd)], "arabic": [(0x621, 0x64a), (0x64b, 0x652), (0x66e, 0x6d3)], "syriac": [(0x710, 0x72f)],
    "devanagari": [(0x904, 0x939), (0x93e, 0x94d)], "bengali": [(0x985, 0x9b9)], "tamil": [(0xb85, 0xbb9), (0xbbe, 0xbcd)],
    "thai": [(0xe01, 0xe3a), (0xe40, 0xe4e)], "tibetan": [(0xf40, 0xf6c), (0xf71, 0xf84)], "georgian": [(0x10d0, 0x10fa)],
    "hangul": [(0xac00, 0xd7a3)], "jamo": [(0x1100, 0x1112), (0x1161, 0x1175), (0x11a8, 0x11c2)], "ethiopic": [(0x1200, 0x1248)],
    "kana": [(0x3041, 0x3096), (0x30a1, 0x30fa)], "han": [(0x4e00, 0x9fff)], "rare han": [(0x20000, 0x2a6df), (0xf900, 0xfa6d)],
    "symbols": [(0x2190, 0x23ff), (0x2500, 0x27bf)], "maths": [(0x1d400, 0x1d7ff)], "wide": [(0xff01, 0xff5e)], "gothic": [(0x10330, 0x1034a)],
    "new": [(0x1e030, 0x1e06d), (0x11f04, 0x11f10), (0x31350, 0x323af), (0x10d40, 0x10d65), (0x1c89, 0x1c8a), (0xa7cb, 0xa7cd), (0x13460, 0x143fa), (0x11de0, 0x11de9)],
}
CJK_SIGNS = list("\u3001\u3002\u300c\u300d\u30fb\uff0c\uff01\uff1f\uff1a\u3010\u3011\u301c\u30fc")


def lines():
    rng = random.Random(20240703)
    pick, chance = rng.choice, lambda p: rng.random() < p
    many = lambda low, high: range(rng.randint(low, high))

    def word():
        w = pick(WORDS)
        w = w.upper() if chance(0.05) else w.capitalize() if chance(0.15) else w
        return w + (pick(TAILS) if chance(0.12) else "")

    def sentence():
        return " ".join(word() + (pick(",;:") if chance(0.1) else "") for _ in many(2, 12)) + pick([".", "!", "?", "...", "", " ."])

    def of_script(name, low=1, high=8):
        return "".join(chr(rng.randint(*pick(SCRIPTS[name]))) for _ in many(low, high))

    def scalar():
        while True:
            c = rng.randrange(pick([0x80, 0x800, 0x3000, 0x10000, 0x20000, 0x110000]))
            if not 0xD800 <= c < 0xE000:
                return chr(c)

    number = lambda: "".join(pick(DIGITS) for _ in many(1, 12))
    kinds = {
        "sentences": (400, sentence),
        "spaces": (300, lambda: "".join(pick([word, number, lambda: pick(SIGNS), lambda: pick(SPACES)])() + pick(SPACES) for _ in many(1, 8))),
        "code": (180, lambda: "".join(pick(CODE) for _ in many(1, 3))),
        "digits": (240, lambda: "".join(pick([number, number, word, lambda: pick(SIGNS), lambda: " ", lambda: pick(OTHER_NUMBERS)])() for _ in many(2, 10))),
        "signs": (150, lambda: "".join(pick([lambda: pick(SIGNS), lambda: pick(SIGNS), lambda: " ", word])() for _ in many(1, 14))),
        "emoji": (120, lambda: "".join(pick([lambda: pick(EMOJI), lambda: pick(EMOJI), lambda: " ", word, number])() for _ in many(1, 8))),
        "control": (120, lambda: "".join(pick([lambda: chr(rng.randrange(0x20)), lambda: chr(rng.randint(0x7F, 0x9F)), word, lambda: " "])() for _ in many(1, 10))),
        "scripts": (420, lambda: pick([" ", "", " "]).join(of_script(pick(list(SCRIPTS))) + (pick(SIGNS + CJK_SIGNS) if chance(0.2) else "") for _ in many(1, 7))),
        "one script": (240, lambda: (lambda s: " ".join(of_script(s) for _ in many(1, 6)))(pick(list(SCRIPTS)))),
        "marks": (150, lambda: "".join(pick(["a", "e", "o", "u", "n", "c", "A", " ", "1", "\u0915", "\u05d0", "\u0628", "\u304b", "!", "\u1112\u1161\u11ab"]) + "".join(pick(MARKS) for _ in many(0, 4)) for _ in many(1, 8))),
        "right to left": (80, lambda: " ".join(pick([lambda: of_script("hebrew"), lambda: of_script("arabic"), number, word, lambda: pick(["\u200f", "\u202b\u202c", "\u2067\u2069", "\u061c", "\u060c", "\u061f"])])() for _ in many(1, 8))),
        "special": (260, lambda: "".join(pick([lambda: pick(SPECIAL), lambda: pick(SPECIAL), word, lambda: pick(SPACES), lambda: " ", sentence])() for _ in many(1, 7))),
        "anything": (300, lambda: "".join(scalar() for _ in many(1, 30))),
    }
    made = ["", " ", "  ", "\n", "\n\n", " \n ", "a", "'", "'s", " 's", "\u0120the", "\ufeffstart"] + [chr(c) for c in range(0x80)]
    made += [of_script(name, 12, 12) for name in SCRIPTS]
    for count, make in kinds.values():
        made += [make() for _ in range(count)]
    # Lines in which everything meets, and long ones.
    every = [make for _, make in kinds.values()]
    made += ["".join(pick(every)() + pick(["", " ", "  ", "\n"]) for _ in many(2, 4)) for _ in range(120)]
    made += ["a" * 3000, " " * 3000, "ab" * 1500, "1234567890" * 200, "\n" * 1000 + "x", "\u4e2d\u6587" * 500, "\U0001f600" * 300, "=" * 2000,
             "".join(pick("abcdefghijklmnopqrstuvwxyz") for _ in range(4000)), " ".join(word() for _ in range(600))]
    return made


if __name__ == "__main__":
    all_lines = lines()
    print(len(all_lines), "lines,", sum(len(line.encode()) for line in all_lines), "bytes")
