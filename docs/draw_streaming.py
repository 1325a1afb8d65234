"""Draws docs/streaming.svg from results of act-eval --task ppl --cache ...

    python docs/draw_streaming.py NAME=result.json [NAME=result.json]... > docs/streaming.svg

A line for each result: the mean negative log-likelihood of each block of tokens, in nats, by the place in the text.
"""

import argparse
import json

WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 44, 48
COLOURS = ["#c0392b", "#1f618d", "#1e8449", "#7d6608"]


def read(argument: str):
    name, found, path = argument.partition("=")
    if not found:
        raise SystemExit(f"{argument}: should be NAME=result.json")
    places, losses, at = [], [], 0
    try:
        with open(path, encoding="utf-8") as file:
            blocks = json.load(file)["blocks"]
        for block in blocks:
            places.append(at + block["tokens"] / 2)
            losses.append(-block["log_probability"])
            at += block["tokens"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path}: isn't a result of act-eval --task ppl --cache: {error!r}")
    if at == 0:
        raise SystemExit(f"{path}: has no blocks of tokens")
    return name, places, losses, at


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", metavar="NAME=result.json")
    lines = [read(argument) for argument in parser.parse_args().results]
    longest = max(line[3] for line in lines)
    top = max(max(line[2]) for line in lines) * 1.05

    def x(place):
        return LEFT + place / longest * (WIDTH - LEFT - RIGHT)

    def y(loss):
        return HEIGHT - BOTTOM - loss / top * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for loss in range(0, int(top) + 1, 2):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(loss):.1f}" y2="{y(loss):.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss}</text>')
    for place in range(0, longest + 1, 5000):
        out.append(f'<text x="{x(place):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{place:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">token of the text</text>')
    out.append(f'<text x="16" y="{(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" '
               f'transform="rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2})">nats a token</text>')
    for number, (name, places, losses, _) in enumerate(lines):
        points = " ".join(f"{x(p):.1f},{y(loss):.1f}" for p, loss in zip(places, losses))
        colour = COLOURS[number % len(COLOURS)]
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{LEFT + 10 + 230 * number}" y="24" fill="{colour}">{name}</text>')
    out.append("</svg>")
    print("\n".join(out))


if __name__ == "__main__":
    main()
