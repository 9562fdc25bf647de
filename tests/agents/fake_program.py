"""A program of UCI or GTP with a fault: `fake_program.py PROTOCOL FAULT [FILE]`.

Faults: `none`, `crash` (at every move), `crash_once` (FILE remembers), `hang`, `flood`, `silent` (from the start), or a
text that it answers as its move.
"""

import sys
import time
from pathlib import Path

PROTOCOL, FAULT = sys.argv[1:3]
FILE = Path(sys.argv[3]) if len(sys.argv) > 3 else None


def say(text):
    print(text, flush=True)


def move():
    if FAULT == "crash" or (FAULT == "crash_once" and FILE is not None and not FILE.exists()):
        if FILE is not None:
            FILE.touch()
        print("no memory left", file=sys.stderr, flush=True)
        sys.exit(3)
    if FAULT == "hang":
        time.sleep(60)
    while FAULT == "flood":
        say("info depth 1")
    own = {"uci": "e7e5", "gtp": "c3"}[PROTOCOL]
    return own if FAULT in ("none", "crash_once") else FAULT


def answer_uci(words):
    if words[0] == "uci":
        say(
            "id name fake\noption name Hash type spin default 1\noption name UCI_LimitStrength type check default false"
        )
        say("option name UCI_Elo type spin default 1350 min 1350 max 2850\nuciok")
    elif words[0] == "isready":
        say("readyok")
    elif words[0] == "go":
        say(f"info depth 1 string {' '.join(words)}")
        say(f"bestmove {move()} ponder e2e4")


def answer_gtp(words):
    if words[0] == "list_commands":
        say("= play\ngenmove\n")
    elif words[0] == "genmove":
        found = move()
        say(found if found.startswith("nonsense") else f"= {found}\n")
    elif words[:2] == ["play", "b"] and words[2] == "A1":
        say("? illegal move\n")
    else:
        say("=\n")


if FAULT == "silent":
    time.sleep(60)
for line in sys.stdin:
    if line.strip() == "quit":
        break
    {"uci": answer_uci, "gtp": answer_gtp}[PROTOCOL](line.split())
