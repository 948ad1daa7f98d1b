"""Every method of the project on the pocket respondent, the trained ones with three seeds: errors and seconds.

    python benchmarks/pocket_all.py [--people 20000] [--subjects 40] [--ppo 10] [--out FOLDER]

The people are those of `pocket_ladder.py` (a seed that training never used, `test_population`). The decode is the
median (a floor's: its value, not rounded); intervals are those of the report. Prints a table, writes the report, and
one JSON line. It goes on where it was interrupted. It checks code and the order of methods, not psychology.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from pocket_ladder import release_in

from alignment.model_settings import POCKET, ModelSettings
from alignment.report import write_report
from alignment.report.leaderboard import ranked, shown, without_result
from alignment.runs.settings import UNTRAINED, RunSettings
from alignment.runs.start import run
from alignment.sharing import Share
from papi.instruments import IPIP_300, TEST_POPULATION

MIN_MASS = 0.5
TRAINED = ("sft", "dpo", "dpo-graded", "epg", "prompt-morl", "soups")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--subjects", type=int, default=40)
    parser.add_argument("--ppo", type=int, default=10, help="subjects of ppo, which takes longest")
    parser.add_argument("--out", type=Path, default=Path("pocket-ladder"))
    chosen = parser.parse_args()
    release = release_in(chosen.out, chosen.people)
    parts = (
        ("all", (*UNTRAINED, *TRAINED), chosen.subjects, MIN_MASS),
        ("all", ("ppo",), chosen.ppo, MIN_MASS),
        ("any-mass", ("dpo",), chosen.subjects, 0.0),  # it takes the probability away from the letters
    )
    for folder, methods, subjects, least in parts:
        given = RunSettings(str(release), methods, ModelSettings(POCKET), IPIP_300, TEST_POPULATION, subjects)
        settings = replace(given, min_mass=least)
        run(settings, chosen.out / folder, Share(), lambda text: print(text, file=sys.stderr))
    where, results = write_report([chosen.out / folder for folder in dict.fromkeys(part[0] for part in parts)])
    figures = {}
    print(f"{'method':36} error (95 %)             people   seconds  mass")
    for each in ranked(results):
        facts = shown(each)
        domains = len(facts["domains"])
        mean, low, high = (facts[name] / domains for name in ("sum", "sum_low", "sum_high"))
        seconds = each.facts["seconds"]
        people = f"{each.facts['n']} × {each.facts['seeds']}" if each.facts["seeds"] > 1 else str(each.facts["n"])
        mass = "" if each.facts["option_mass"] is None else f"{each.facts['option_mass']:.2f}"
        print(f"{each.row.name:36} {mean:.3f} ({low:.3f} to {high:.3f})  {people:>8}  {seconds:8.2f}  {mass}")
        by_seed = facts["by_seed"] and [round(total / domains, 4) for total in facts["by_seed"]]
        figures[each.row.name] = {"error": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}
        figures[each.row.name] |= {"by_seed": by_seed, "seconds": seconds, "people": each.facts["n"]}
    for each in without_result(results):
        print(f"{each.row.name}: no result ({len(each.facts['excluded'])} subjects failed)")
    print(f"the report is in {where}")
    print(json.dumps({"benchmark": "every method on the pocket respondent", "methods": figures}))


if __name__ == "__main__":
    main()
