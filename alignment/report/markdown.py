"""leaderboard.md: what was run, how it went, who was left out, and what is published beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alignment.prompts import BOTH, ORDERS
from alignment.report.leaderboard import HEADER, cells, domain_cells, ranked, without_result
from alignment.report.pictures import Drawn
from alignment.report.results import Measured, Results
from alignment.report.runs import Run
from papi.instruments import TEST
from papi.tables import read_toml
from papi.words import joined, number

SHOWN_DIGITS = 12
LEFT_COLUMNS = ("method", "kind", "sees of dev", "runs", "what")
HOW = """\
Sorted by the sum of the domains' mean absolute errors, the smaller the better: of a model the median of its option \
distribution, of a floor its value; beside it argmax, of floors the values rounded to options. Accuracy, within one \
and r are of the sorted column. Seconds and tokens of a trained method are those of all its seeds, and what is trained \
once for everybody (Prompt-MORL, Soups) is spread over the people asked. Intervals: the middle 95 % of 10,000 paired \
resamples of subjects. Kinds: a floor needs no model; a leaky method uses answers that it is asked for, and is no \
result."""
REFERENCE = """\
The reference is ridge, fixed beforehand: learnt from other people's answers, without a model. Options are compared \
with ridge rounded to options, a floor's values with ridge as it is. A difference is over the people whom the method \
and ridge both have answers of, so where they have different people it is not that of the two sums."""
SIMULATED = """\
The people are simulated: this says whether code and the order of methods are as they must be, and nothing of people."""
NO_REFERENCE = """\
The reference, fixed beforehand, is ridge. These runs have no ridge row, so no difference to it can be given: run the \
method `ridge` on the same subjects."""


def markdown_of(results: Results, drawn: Sequence[Drawn]) -> str:
    """The whole text; `drawn` are the figures beside it."""
    facts = results.rows.facts
    simulated = " – SIMULATED people" if facts["release"]["simulated"] else ""
    parts = [
        f"# Alignment: {facts['config']}, {facts['split']}{simulated}",
        _run(results),
        "## Leaderboard",
        _table(HEADER, ([_code(name), *rest] for name, *rest in map(cells, ranked(results)))),
        *([SIMULATED] if facts["release"]["simulated"] else []),
        HOW,
        REFERENCE if results.document["reference"] else NO_REFERENCE,
        *_by_domain(results),
        *_without_result(results),
        *_excluded(results),
        *_locked(results),
        *_of_replies(results, "unparseable", "Without a letter** (counted as every option alike)"),
        *_of_replies(results, "parsed", "Without probabilities** (the one answer has all: all decodes are the same)"),
        *(f"![{_plain(d.alt)}]({d.path})\n\n**{d.title}.** {d.caption}" for d in drawn if d.path),
        *(f"**{d.title}.** Not drawn: {d.alt}." for d in drawn if not d.path),
        *_published(facts),
        *(["## Notes", "\n".join(f"- {_plain(note)}" for note in results.rows.notes)] if results.rows.notes else []),
    ]
    return "\n\n".join(parts) + "\n"


def _run(results: Results) -> str:
    facts, release = results.rows.facts, results.rows.facts["release"]
    origin = ", ".join(f"{name} {release[name]}" for name in ("revision", "commit") if release.get(name))
    what = f"{release['version']}, manifest {release['manifest_sha256'][:SHOWN_DIGITS]}{', ' * bool(origin)}{origin}"
    labels = {"responses": "responses, as people answered", "published": "published, as in the paper's files"}
    rows = [
        ("release", what + (", SIMULATED people" if release["simulated"] else "")),
        ("config, split", f"{facts['config']}, {facts['split']}"),
        ("labels", labels[facts["labels"]]),
        ("people", f"{len(results.rows.subjects)} with answers of any method"),
    ]
    for run in results.rows.runs:
        alone = len(results.rows.runs) == 1
        methods = "" if alone else f"; {', '.join(run.facts['methods'])}"
        rows.append(("run" if alone else f"run {run.path.name}", _of_run(run) + methods))
    return _table(("what", ""), ([name, _plain(text)] for name, text in rows))


def _of_run(run: Run) -> str:
    facts = run.facts
    parts = [f"model {run.model['name']}" if run.model else "no model", f"{facts['subjects']} subjects asked for"]
    if run.model:
        parts += [f"options {facts['option_order']}", f"least option mass {facts['min_mass']:g}"]
    return ", ".join([*parts, f"seed {facts.get('seed')}"])


def _by_domain(results: Results) -> list[str]:
    domains = list(results.rows.asked.domains)
    if not ranked(results):
        return []
    rows = [[_code(name), *rest] for name, *rest in (domain_cells(each, domains) for each in ranked(results))]
    what = "Mean absolute errors of the sorted column by domain, and their mean; by facet in `by_scale.csv`."
    return ["## By domain", _table(("method", *domains, "mean"), rows), what]


def _without_result(results: Results) -> list[str]:
    without = without_result(results)
    said = [f"- {_code(each.row.name)}: {_plain(each.facts['refused'] or 'no answers')}" for each in without]
    for run in results.rows.runs:
        said += [f"- {_code(name)}: {_plain(why)}" for name, why in run.facts.get("unavailable", {}).items()]
    if not said:
        return []
    return ["**Without a result:**", "\n".join(said)]


def _excluded(results: Results) -> list[str]:
    """Who failed and who is still to come, by method; methods with the same losses together."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for each in results.methods.values():
        if each.facts["excluded"]:
            groups.setdefault(tuple(each.facts["excluded"].items()), []).append(each.row.name)
    lines = [
        f"- {joined([_code(name) for name in names])}: {len(failed)} excluded – "
        + "; ".join(f"{_code(subject)} ({_plain(reason)})" for subject, reason in failed)
        for failed, names in groups.items()
    ]
    lines += [f"- {_pending(n, names)}" for n, names in _by_pending(results.methods.values()).items()]
    return ["**People without answers** (the measures are of the others):", "\n".join(lines)] if lines else []


def _by_pending(methods: Iterable[Measured]) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = {}
    for each in methods:
        if each.facts["pending"]:
            groups.setdefault(each.facts["pending"], []).append(each.row.name)
    return groups


def _pending(count: int, names: Sequence[str]) -> str:
    return f"{joined([_code(name) for name in names])}: {count} not asked yet, the run is not at its end"


def _locked(results: Results) -> list[str]:
    locks = {each.row.name: each.facts["option_lock"] for each in results.methods.values()}
    said = [
        f"{_code(name)} answers {lock['option']} to {100 * lock['share']:.0f} % of the items"
        + (f", the letter {lock['letter']} to {100 * lock['letter_share']:.0f} %" if lock["letter"] else "")
        for name, lock in locks.items()
        if lock and lock["locked"]
    ]
    return [f"**Locked on one option:** {'; '.join(said)}."] if said else []


def _of_replies(results: Results, count: str, what: str) -> list[str]:
    """How many replies of servers were of a kind, by method."""
    items = len(results.rows.asked.items)
    said = [
        f"{_code(each.row.name)} {each.facts[count]:,} of {each.row.n * items * _orders(each):,} replies"
        for each in results.methods.values()
        if each.facts[count]
    ]
    return [f"**{what}: {'; '.join(said)}."] if said else []


def _orders(each: Measured) -> int:
    """In how many orders of the options every item was asked."""
    return len(ORDERS) if each.row.run.facts["option_order"] == BOTH else 1


def _published(facts: Mapping[str, Any]) -> list[str]:
    """What is published, for the instrument of which anything is."""
    table = read_toml("alignment", "published.toml")
    if facts["config"] != table["config"]:
        return []
    domains = list(next(row["domains"] for row in table["row"] if "domains" in row))
    rows = sorted(table["row"] + table["floor"], key=lambda row: float(row["published"]))
    body = [
        [
            row["name"] if "responses" not in row else f"*{row['name']}*",
            *(_two(row.get("domains", {}).get(domain)) for domain in domains),
            _two(row["published"]),
            _two(row.get("responses")),
        ]
        for row in rows
    ]
    header = ("what", *domains, "sum, published labels", "sum, responses")
    return [
        "## Published numbers",
        f"{table['source']}; in italics the floors on the same 300 subjects, without a model. {_comparable(facts)}",
        _table(header, body),
        "\n".join(f"- {caveat}" for caveat in table["caveats"]),
    ]


def _comparable(facts: Mapping[str, Any]) -> str:
    wants = "comparable only with a run with labels published on the split test, decoded by argmax"
    if facts["labels"] != "published":
        return f"This run's labels are responses: the paper's column is not comparable with it. It is {wants}."
    if facts["split"] != TEST or facts["release"]["simulated"]:
        other = "simulated people" if facts["release"]["simulated"] else f"the split {facts['split']}"
        return f"This run is of {other}: the paper's column is not comparable with it. It is {wants}."
    return (
        "Of this run the argmax of models is comparable with the paper's column, and nothing else, as far as its test "
        "split holds the published people (the release's card says whether it does)."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    edges = ["---" if name in LEFT_COLUMNS or not name else "---:" for name in header]
    lines = [header, edges, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _two(value: float | None) -> str:
    return "" if value is None else number(value)


def _code(name: str) -> str:
    return f"`{_plain(name)}`"


def _plain(text: str) -> str:
    """A text of a user's file in one line, without a sign that would end what it stands in."""
    return " ".join(text.replace("`", "'").replace("[", "(").replace("]", ")").split())
