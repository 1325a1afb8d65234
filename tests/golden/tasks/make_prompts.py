#!/usr/bin/env python3
"""Makes data/ (one small file of invented samples a task, with every trap its format has) and prompts.jsonl: what each
sample's prompt, words and label must be. Written from the description of the tasks, not from act's code; Python's own
csv, json and xml modules read the files. Run it in this folder; it needs no package."""

import csv
import io
import json
import pathlib
import re
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data"
DATA.mkdir(exist_ok=True)

FILES = {
    "sst2.tsv": "sentence\tlabel\n"
    "the plot\tlurches but the cast is a joy \t1\n"
    "\n"
    "a {text} in braces , {label} and {{all}} \t0\r\n"
    "déjà vu — twice \t0\n",
    "sst5.txt": "0 dreadful , from end to end\n4   a marvel \t\r\n\n2 neither here nor there\n1 thin .\n3 nice",
    "mr.txt": b"1 a caf\xe9 romance that earns its tears \n0 too long\x85and then\x85longer \n1 quoted \x93well\x94 \x96 said\n"
    b"0 \x85 starts with a mark\x85\n",
    "subj.txt": b"0 i found its na\xefvet\xe9 touching . \n1 she leaves for the coast in june . \r\n",
    "agnews.csv": '\ufeffClass Index,Title,Description\n'
    '3,Shares rise,"Stocks, bonds and ""safe"" metals\\rose."\n'
    '"1","Talks open","Envoys met; the first line ends here\nand goes on."\n'
    "\n"
    '2,Late goal wins it, two spaces stay \r\n'
    "4,Robot \"arm\" ships,plain\n",
    "dbpedia.csv": '1,"Acme Co","Acme Co is a maker of anvils."\n14,A Book,  A Book is a novel.\n6,"Boat","The ""Boat"" is a ship."\n',
    "trec.txt": b"NUM:dist How far is the moon ?\nABBR:exp What does USB stand for ? \nHUM:ind Who wrote it\xf0now ?\n"
    b"ENTY:animal What has stripes ?\nDESC:def What is a prime : a number ?\nLOC:city Where is it ?\n",
    "cb.jsonl": [
        {"premise": "B: I think so. A: Uh-huh.", "hypothesis": "it is so", "label": "neutral", "idx": 0},
        {"premise": "He said he would.", "hypothesis": "he would {premise}", "label": "entailment"},
        {"premise": "Nobody came.", "hypothesis": "someone came", "label": "contradiction"},
    ],
    "rte.jsonl": [
        {"premise": "The dam holds.", "hypothesis": "The dam broke.", "label": "not_entailment", "idx": 3},
        {"premise": "It rained.", "hypothesis": "It was wet.", "label": "entailment", "idx": 4},
    ],
    "boolq.jsonl": [
        {"question": "is ice cold", "passage": "Ice -- Ice is frozen water.", "label": True},
        {"question": "is fire cold", "passage": "Fire burns.\nIt is hot.", "label": "False"},
        {"question": "is snow white", "passage": "Snow is white.", "label": 1},
        {"question": "is tar white", "passage": "Tar is black.", "label": "fAlSe"},
    ],
    "hellaswag.jsonl": [
        {"ctx": "A man lifts a box. he", "endings": ["drops it.", "eats it.", "sings.", "flies off."], "label": 0},
        {"ctx": "The bell rings and", "endings": ["ends", "class starts", "no", "ice"], "label": "1"},
    ],
    "arce.jsonl": [
        {"id": "a", "question": {"stem": "Which is hot?", "choices": [
            {"text": "ice", "label": "A"}, {"text": "lava", "label": "B"}, {"text": "snow", "label": "C"}]},
         "answerKey": "B"},
        {"id": "b", "question": {"stem": "What is 2 + 2?", "choices": [
            {"text": "3", "label": "1"}, {"text": "22", "label": "2"}, {"text": "5", "label": "3"},
            {"text": "4", "label": "4"}]}, "answerKey": "4"},
        {"id": "c", "question": {"stem": "Pick {question}", "choices": [
            {"text": t, "label": k} for t, k in zip("vwxyz", "ABCDE")]}, "answerKey": "E"},
    ],
    "arcc.jsonl": [
        {"question": {"stem": "Why is the sky blue?", "choices": [
            {"text": "scattering", "label": "A"}, {"text": "paint", "label": "B"}]}, "answerKey": "A"},
    ],
    "piqa.jsonl": [
        {"goal": "How do I open a jar?", "sol1": "Twist the lid.", "sol2": "Sing to the lid."},
        {"goal": "To dry a plate", "sol1": "Use water.", "sol2": "Use a towel."},
    ],
    "piqa-labels.lst": "0\n1\n",
    "obqa.tsv": "ID\tAnswer Key\tQuestion Stem\tChoices\n"
    "1\tB\tThe sun gives\t(A) ice (B) light (C) salt (D) rain\n"
    "2\tD\tWhich mark comes last\t(A) mark (D) of course (B) two  (C) three (A) again (D) four \n",
    "copa.jsonl": [
        {"premise": "The glass fell.", "choice1": "It broke.", "choice2": "It grew.", "question": "effect", "label": 0},
        {"premise": "The dog barked.", "choice1": "It slept.", "choice2": "A cat came.", "question": "cause", "label": 1},
    ],
    "copa.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE copa-corpus SYSTEM "copa.dtd">\n'
    '<!-- invented items -->\n<copa-corpus version="1.0">\n'
    '<item id="1" asks-for="cause" most-plausible-alternative="2">\n<p>Tom &amp; Ann left.</p>\n'
    "<a1>It was &lt;early&gt;.</a1>\n<a2>It was &#233;t&#xE9;.</a2>\n</item>\n"
    "<item id='2' asks-for='effect' most-plausible-alternative='1'><p>He \"won\".</p><a1>He cheered.</a1>"
    "<a2>He sulked.</a2></item>\n</copa-corpus>\n",
    "csqa.jsonl": [
        {"question": "Where do fish live?", "choices": {"label": ["A", "B", "C", "D", "E"],
         "text": ["sea", "sky", "car", "hat", "book"]}, "answerKey": "A"},
        {"question": {"stem": "What do birds do?", "question_concept": "bird", "choices": [
            {"label": "A", "text": "drive"}, {"label": "B", "text": "read"}, {"label": "C", "text": "fly"},
            {"label": "D", "text": "code"}, {"label": "E", "text": "vote"}]}, "answerKey": "C"},
    ],
    "mmlu/high_school_knots_test.csv": '"What holds, best?","A, ""reef"" knot",granny,none,all,A\n'
    '"Two lines\nof question",1,2,3,4,D\n',
    "mmlu/applied_naps_test.csv": "How long is a nap?,1 h,2 h,3 h,4 h,B\n",
    "squad.json": {"version": "v2.0", "data": [
        {"title": "Small_Town", "paragraphs": [
            {"context": "The town has two mills.\nOne burned in 1901.", "qas": [
                {"id": "q1", "question": "How many mills?", "answers": [{"text": "two", "answer_start": 13},
                                                                     {"text": "two mills", "answer_start": 13}],
                 "is_impossible": False},
                {"id": "q2", "question": "Who owned them?", "answers": [], "is_impossible": True},
                {"id": "q3", "question": "When did one burn?", "answers": [{"text": "1901", "answer_start": 39}]}]},
            {"context": "Empty streets.", "qas": [
                {"id": "q4", "question": "What is empty?", "answers": [{"text": "streets", "answer_start": 6}]}]}]}]},
    "jsonl.jsonl": [
        {"prompt": "Good or bad? {prompt} fine:", "options": [" good", " bad", " odd"], "label": 0},
        {"prompt": "Sky is", "options": [" blue", " made of cheese"], "label": " blue",
         "prior_prompt": "It is", "note": "kept out"},
    ],
}

for name, content in FILES.items():
    path = DATA / name
    path.parent.mkdir(exist_ok=True)
    if isinstance(content, list):
        content = "".join(json.dumps(line, ensure_ascii=i % 2 == 0) + "\n" for i, line in enumerate(content))
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def lines(name, encoding="utf-8"):
    for line in (DATA / name).read_bytes().split(b"\n"):
        line = line[:-1] if line.endswith(b"\r") else line
        if line:
            yield line.decode(encoding)


def json_lines(name):
    return [json.loads(line) for line in lines(name)]


def rows(name):
    text = (DATA / name).read_bytes().decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


MOVIE = ("Classify the sentiment of the {} into one of the following categories: {}.\n\n")
TRUTH = "Read the following paragraph and determine if the hypothesis is true.\n\n"
GENERATE = "Generate the correct answer to the following question."
CLASSES = ["company", "school", "artist", "sport", "politics", "transportation", "building", "nature", "village",
           "animal", "plant", "album", "film", "book"]
# task: (instruction, how one sample reads, label words)
CLASSIFICATION = {
    "sst2": (MOVIE.format("user's message", "'positive' or 'negative'"), "Sentence: %s \nSentiment: ",
             [" negative", " positive"]),
    "sst5": (MOVIE.format("user's message", "'terrible', 'negative', 'neutral', 'positive', or 'great'"),
             "Sentence: %s \nSentiment: ", [" terrible", " negative", " neutral", " positive", " great"]),
    "mr": (MOVIE.format("movie's review", "'positive' or 'negative'"), "Review: %s \nSentiment: ",
           [" negative", " positive"]),
    "subj": ("Classify the sentiment polarity of the movie's review into one of the following categories: "
             "'subjective' or 'object'.\n\n", "Input: %s \nType: ", [" subjective", " objective"]),
    "agnews": ("Classify the news articles into the categories of 'World', 'Sports', 'Business', or 'Technology'.\n\n",
               "Article: %s \nCategory: ", [" World", " Sports", " Business", " Technology"]),
    "trec": ("Classify the given questions into the following categories of 'Description', 'Entity', 'Expression', "
             "'Person', 'Number', or 'Location'.\n\n", "Question: %s \nType: ",
             [" Expression", " Entity", " Description", " Person", " Location", " Number"]),
    "cb": (TRUTH, "Premise: %s Hypothesis: %s. Answer: ", [" Yes", " No", " Maybe"]),
    "rte": (TRUTH, "Premise: %s Hypothesis: %s Answer: ", [" Yes", " No"]),
    "boolq": ("Read the text and answer the question by True or False.\n\n", "Text: %s Question: %s? \nAnswer: ",
              [" False", " True"]),
    "dbpedia": ("Classify the given text into one of the most relevant categories: "
                + ", ".join(f"'{c}'" for c in CLASSES[:-1]) + ", or 'book'.\n\n", "Input: %s \nType: ",
                [" " + c for c in CLASSES]),
}
CHOICE = {
    "hellaswag": "Complete the following sentence with an appropriate ending.",
    "arce": GENERATE, "arcc": GENERATE, "copa": GENERATE, "csqa": GENERATE,
    "piqa": "Generate the correct solution to accomplish the following goal.",
    "obqa": "Generate the most appropriate answer to the following question.",
}
BLANK = " \t\r\n"
samples = {}  # (task, file): [(texts or question, choices or None, label, instruction)]


def classified(task, name, entries):
    samples[task, name] = [(tuple(texts), None, label, CLASSIFICATION[task][0]) for texts, label in entries]


def chosen(task, name, entries):
    samples[task, name] = [(q, c, label, CHOICE[task]) for q, c, label in entries]


classified("sst2", "sst2.tsv", [((l.rpartition("\t")[0],), int(l.rpartition("\t")[2]))
                                for l in list(lines("sst2.tsv"))[1:]])
classified("sst5", "sst5.txt", [((l[2:].strip(BLANK),), int(l[0])) for l in lines("sst5.txt")])
for task in ("mr", "subj"):
    classified(task, task + ".txt", [((l[2:].strip(BLANK),), int(l[0])) for l in lines(task + ".txt", "latin-1")])
classified("agnews", "agnews.csv", [((f"{t} {d}",), int(c) - 1) for c, t, d in rows("agnews.csv")[1:]])
classified("dbpedia", "dbpedia.csv", [((d,), int(c) - 1) for c, _, d in rows("dbpedia.csv")])
COARSE = ["ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"]
trec = (DATA / "trec.txt").read_bytes().replace(b"\xf0", b" ").decode().split("\n")
classified("trec", "trec.txt", [((l.split(" ", 1)[1].strip(BLANK),), COARSE.index(l.split(":", 1)[0]))
                                for l in trec if l])
for task, names in (("cb", ["entailment", "contradiction", "neutral"]), ("rte", ["entailment", "not_entailment"])):
    classified(task, task + ".jsonl", [((d["premise"], d["hypothesis"]), names.index(d["label"]))
                                       for d in json_lines(task + ".jsonl")])
classified("boolq", "boolq.jsonl", [((d["passage"], d["question"]), int(str(d["label"]).lower() in ("true", "1")))
                                    for d in json_lines("boolq.jsonl")])
chosen("hellaswag", "hellaswag.jsonl", [(d["ctx"], d["endings"], int(d["label"]))
                                        for d in json_lines("hellaswag.jsonl")])


def keyed(d):
    nested = isinstance(d["question"], dict)
    question = d["question"]["stem"] if nested else d["question"]
    keys = [c["label"] for c in d["question"]["choices"]] if nested else d["choices"]["label"]
    texts = [c["text"] for c in d["question"]["choices"]] if nested else d["choices"]["text"]
    return question, texts, keys.index(d["answerKey"])


for task in ("arce", "arcc", "csqa"):
    chosen(task, task + ".jsonl", [keyed(d) for d in json_lines(task + ".jsonl")])
chosen("piqa", "piqa.jsonl", [(d["goal"], [d["sol1"], d["sol2"]], int(label))
                              for d, label in zip(json_lines("piqa.jsonl"), lines("piqa-labels.lst"))])
header, *table = [l.split("\t") for l in lines("obqa.tsv")]
obqa = []
for row in table:
    cells = dict(zip(header, row))
    # The marks in order, each the first one after the mark before it.
    match = re.match(r"\(A\)(.*?)\(B\)(.*?)\(C\)(.*?)\(D\)(.*)$", cells["Choices"])
    obqa.append((cells["Question Stem"], [t.strip(BLANK) for t in match.groups()], "ABCD".index(cells["Answer Key"])))
chosen("obqa", "obqa.tsv", obqa)
chosen("copa", "copa.jsonl", [(f'{d["premise"]} What is the {d["question"]}?', [d["choice1"], d["choice2"]], d["label"])
                              for d in json_lines("copa.jsonl")])
root = xml.etree.ElementTree.parse(DATA / "copa.xml").getroot()
chosen("copa", "copa.xml", [(f'{i.find("p").text} What is the {i.get("asks-for")}?',
                             [i.find("a1").text, i.find("a2").text], int(i.get("most-plausible-alternative")) - 1)
                            for i in root.iter("item")])
samples["mmlu", "mmlu"] = [
    (r[0], r[1:5], "ABCD".index(r[5]),
     f"The following are multiple choice questions (with answers) about {subject}.")
    for subject, name in (("applied naps", "applied_naps"), ("high school knots", "high_school_knots"))
    for r in rows(f"mmlu/{name}_test.csv")]

golden = []
for (task, name), entries in samples.items():
    for index, (texts, choices, label, instruction) in enumerate(entries):
        def body(entry):
            if entry[1] is None:
                return CLASSIFICATION[task][1] % entry[0]
            listed = "".join(f"\n{letter}. {text}" for letter, text in zip("ABCDE", entry[1]))
            return entry[0] + listed + "\nAnswer:"

        def words(entry):
            return CLASSIFICATION[task][2] if entry[1] is None else [" " + c for c in "ABCDE"[: len(entry[1])]]

        head = instruction if choices is None else instruction + "\n\n"
        entry = entries[index]
        shots = [i for i in (1, 0) if i != index and i < len(entries)]
        shown = "".join(body(entries[i]) + words(entries[i])[entries[i][2]] + "\n\n" for i in shots)
        record = {"task": task, "file": name, "index": index, "label": label, "words": words(entry),
                  "prompt": head + body(entry), "shots": shots, "few_shot_prompt": head + shown + body(entry)}
        if choices is not None:
            record["likelihood_context"] = head + entry[0] + "\nAnswer:"
            record["few_shot_likelihood_context"] = head + "".join(
                entries[i][0] + "\nAnswer: " + entries[i][1][entries[i][2]] + "\n\n" for i in shots
            ) + entry[0] + "\nAnswer:"
            record["continuations"] = [" " + c for c in choices]
        golden.append(record)

BACKGROUND = ('Answer question using information in the preceding background paragraph. If there is not enough '
              'information provided, answer with "Not in background."\n\nTitle: {}\n\nBackground: {}\n\n')
index = 0
for article in json.loads((DATA / "squad.json").read_text())["data"]:
    for paragraph in article["paragraphs"]:
        start = BACKGROUND.format(article["title"].replace("_", " "), paragraph["context"])
        first = index
        for position, qa in enumerate(paragraph["qas"]):
            others = [q for q in paragraph["qas"] if q is not qa][:2]
            shown = "".join("Q: {}\n\nA: {}\n\n".format(
                q["question"], q["answers"][0]["text"] if q["answers"] else "Not in background.") for q in others)
            asked = f"Q: {qa['question']}\n\nA:"
            golden.append({"task": "squad", "file": "squad.json", "index": index, "label": 0, "words": [],
                           "prompt": start + asked,
                           "shots": [i for i in range(first, first + len(paragraph["qas"])) if i != index][:2],
                           "few_shot_prompt": start + shown + asked})
            index += 1
for index, d in enumerate(json_lines("jsonl.jsonl")):
    label = d["label"] if isinstance(d["label"], int) else d["options"].index(d["label"])
    other = json_lines("jsonl.jsonl")[1 - index]
    right = other["options"][other["label"]] if isinstance(other["label"], int) else other["label"]
    golden.append({"task": "jsonl", "file": "jsonl.jsonl", "index": index, "label": label, "words": d["options"],
                   "prompt": d["prompt"], "shots": [1 - index],
                   "few_shot_prompt": other["prompt"] + right + "\n\n" + d["prompt"],
                   "likelihood_context": d["prompt"],
                   "few_shot_likelihood_context": other["prompt"] + right + "\n\n" + d["prompt"],
                   "continuations": d["options"]})

(HERE / "prompts.jsonl").write_text("".join(json.dumps(g) + "\n" for g in golden))


def splitmix64(state):
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def select(n, k, seed):
    order, draw = list(range(n)), splitmix64(seed)
    for i in range(k):
        j = i + next(draw) % (n - i)
        order[i], order[j] = order[j], order[i]
    return order[:k]


assert select(10, 4, 42) == [3, 2, 4, 5]
(HERE / "selection.json").write_text(json.dumps([
    {"n": n, "k": k, "seed": seed, "selected": select(n, k, seed)}
    for n, k, seed in [(10, 4, 42), (1, 1, 0), (5, 0, 7), (436, 20, 0), (6735, 5, 84), (100, 100, 168),
                       (1000, 10, 18446744073709551615)]]) + "\n")
