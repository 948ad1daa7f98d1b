"""Figure: the error of each method by domain."""

from __future__ import annotations

from collections.abc import Sequence

from alignment.report.figures.methods import (
    BOTTOM,
    LETTER,
    ROW,
    called,
    kinds_legend,
    mark,
    names_room,
    ridge_of,
    rows_of,
)
from alignment.report.leaderboard import ranked, shown
from alignment.report.results import Measured, Results
from papi.instruments import instrument
from papi.sheet import MARGIN, TOP, WIDTH, Heading, Picture, Sheet, colour
from papi.words import joined, span

FIRST, FRAME, GAP, NAMES = 30, 24, 18, 230  # pixels


def draw(results: Results, heading: Heading) -> Picture | str:
    """A panel for each domain, a row for each method."""
    methods = ranked(results)
    if not methods:
        return "no method has a result"
    left, letters = names_room([each.row.name for each in methods], NAMES)
    sheet = Sheet(TOP + FIRST + FRAME + ROW * len(methods) + BOTTOM, heading)
    sheet.legend(MARGIN, TOP, kinds_legend(methods))
    domains = list(results.rows.asked.domains)
    width = (WIDTH - left - MARGIN + GAP) / len(domains) - GAP
    names, titles = [called(each.row.name, letters) for each in methods], _titles(results, width)
    ends = [shown(each)["domains"][d][end] for each in methods for d in domains for end in ("low", "high")]
    known = [end for end in ends if end is not None]
    ridge = ridge_of(results)
    for column, domain in enumerate(domains):
        place = (left + column * (width + GAP), TOP + FIRST + FRAME, width)
        axes = rows_of(sheet, place, names, labelled=column == 0)
        axes.set(title=titles[domain], xlabel="error")
        axes.locator_params(axis="x", nbins=4)
        if known:
            axes.set_xlim(max(0, min(known) - 0.15), max(known) + 0.15)
        if ridge is not None and shown(ridge)["domains"][domain]["mae"] is not None:
            axes.axvline(shown(ridge)["domains"][domain]["mae"], color=colour("ink"), linewidth=1.1, zorder=1)
        for row, each in enumerate(methods):
            facts = shown(each)["domains"][domain]
            if facts["mae"] is not None:
                mark(axes, each, row, facts["mae"], facts["low"], facts["high"])
    return Picture(sheet, _alt(methods, domains))


def _titles(results: Results, width: float) -> dict[str, str]:
    """The domains by their first word, or by their letter where the words have no room."""
    words = {d.name: d.title.split()[0] for d in instrument(results.rows.facts["config"]).domains}
    return words if max(map(len, words.values())) * LETTER <= width else {name: name for name in words}


def _alt(methods: Sequence[Measured], domains: Sequence[str]) -> str:
    best = methods[0]
    said = [f"{d} {span([shown(each)['domains'][d]['mae'] for each in methods])}" for d in domains]
    values = joined([f"{d} {span([shown(best)['domains'][d]['mae']])}" for d in domains])
    return f"a panel for each domain, errors {'; '.join(said)}. {best.row.name} has {values}."
