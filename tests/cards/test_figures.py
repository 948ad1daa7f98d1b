"""The figures of a release: what they measure, what is said of them, and how they are drawn, whatever else is set."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from drawn import assert_well_set, drawn_words
from PIL import Image

from cards.figures import Figure, write_figures
from cards.figures.facts import (
    COUNTRIES,
    DECIMALS,
    Missing,
    Shares,
    demographics,
    facet_correlations,
    missing_answers,
    score_distributions,
)
from cards.figures.likeness import TOLERANCE
from cards.figures.stated import alphas, comparisons
from cards.figures.writing import DRAW, titled
from papi import load
from papi.columns import AGE_BANDS, SEXES
from papi.instruments import DARK_TRIAD, DEV, INSTRUMENTS, IPIP_120, IPIP_300, SPLITS, TEST, TEST_POPULATION, instrument
from papi.manifest import read_manifest, shard_paths
from papi.parquet import arrow_schema, read_parquet, write_parquet
from papi.sheet import WIDTH, Heading, Picture, house_style
from papi.tables import read_csv, read_toml
from papi.words import number, percent, shortened, span
from validation.likeness import TOLERANCE as SAMPLE_TOLERANCE

ROOT = Path(__file__).parents[2]
LARGEST = 150_000  # bytes
Manifest = dict[str, Any]
HEADING = Heading("What it is – simulated people", "How to read it.")


@pytest.fixture(scope="module")
def manifest(release: Path) -> Manifest:
    return read_manifest(release)


@pytest.fixture(scope="module")
def figures(release: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Figure]]:
    """A place with the figures of the release drawn again, and what is said of them."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "data").symlink_to(release / "data")
    return folder, write_figures(folder, read_manifest(release))


def only(manifest: Manifest, *configs: str, splits: tuple[str, ...] = SPLITS) -> Manifest:
    """The manifest as it would be with fewer configs and splits."""
    part = copy.deepcopy(manifest)
    part["configs"] = {name: facts for name, facts in part["configs"].items() if name in configs}
    for facts in part["configs"].values():
        facts["splits"] = {split: n for split, n in facts["splits"].items() if split in splits}
        facts["likeness"] = {name: v for name, v in facts["likeness"].items() if name in (*splits, "all_unflagged")}
    return part


def everybody(release: Path, config: str) -> pd.DataFrame:
    return pd.concat(load(release, config).values(), ignore_index=True)


Change = Callable[[pd.DataFrame], pd.DataFrame]


def changed(release: Path, manifest: Manifest, config: str, folder: Path, change: Change) -> Path:
    """The parquet files of a config with other values."""
    for split in SPLITS:
        for name in shard_paths(manifest, config, split):
            frame = change(read_parquet([release / name], config).to_pandas())
            write_parquet(
                folder / name, pa.Table.from_pandas(frame, arrow_schema(config), preserve_index=False), config
            )
    return folder


# files


def test_every_figure_is_a_small_png_of_the_stated_width_that_tells_nothing_of_its_making(
    figures: tuple[Path, list[Figure]],
) -> None:
    folder, drawn = figures
    assert [figure.path for figure in drawn] == [f"figures/{name}.png" for name in DRAW]
    for figure in drawn:
        content = (folder / figure.path).read_bytes()
        image = Image.open(BytesIO(content))
        assert (image.format, image.mode, image.width, image.info) == ("PNG", "RGB", WIDTH, {})
        assert 300 <= image.height <= 900
        assert len(content) <= LARGEST
        corners = {image.getpixel(place) for place in ((0, 0), (WIDTH - 1, 0), (0, image.height - 1))}
        assert corners == {(255, 255, 255)}


def test_a_build_writes_them_names_them_in_the_manifest_and_shows_them(
    release: Path, manifest: Manifest, figures: tuple[Path, list[Figure]]
) -> None:
    folder, drawn = figures
    readme = (release / "README.md").read_text()
    for figure in drawn:
        assert (release / figure.path).read_bytes() == (folder / figure.path).read_bytes()
        assert manifest["files"][figure.path]["bytes"] == (folder / figure.path).stat().st_size
        assert f"\n![{figure.alt}]({figure.path})\n\n**{figure.title}.** {figure.caption}\n" in readme
    assert {name for name in manifest["files"] if name.endswith(".png")} == {figure.path for figure in drawn}


def test_a_build_can_leave_them_out(simulated_raw: Path, tmp_path: Path) -> None:
    from outcomes import papi

    assert papi("build", simulated_raw, tmp_path / "release", "--only", DARK_TRIAD, "--no-figures") == 0
    assert not (tmp_path / "release" / "figures").exists()
    assert "figures/" not in (tmp_path / "release" / "README.md").read_text()


def in_a_process_of_its_own(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_setting_of_a_user_changes_a_byte(release: Path, figures: tuple[Path, list[Figure]], tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(release / "data")
    settings = ["font.size: 31", "font.family: serif", "savefig.dpi: 31", "text.usetex: True", "axes.facecolor: black"]
    settings += ["savefig.bbox: tight", "savefig.transparent: True", "axes.formatter.use_locale: True", "backend: pdf"]
    (tmp_path / "matplotlibrc").write_text("\n".join(settings))
    code = (
        "from pathlib import Path; from cards.figures import write_figures; from papi.manifest import read_manifest; "
        f"import matplotlib; write_figures(Path({str(tmp_path)!r}), read_manifest(Path({str(release)!r}))); "
        "print(matplotlib.rcParams['font.size'], matplotlib.rcParams['font.family'])"
    )
    hostile = {"MATPLOTLIBRC": str(tmp_path), "MPLBACKEND": "svg", "LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati"}
    done = in_a_process_of_its_own(code, **hostile, OMP_NUM_THREADS="2", PYTHONHASHSEED="99")
    assert (done.returncode, done.stdout) == (0, "31.0 ['serif']\n"), done.stderr
    folder, drawn = figures
    for figure in drawn:
        assert (tmp_path / figure.path).read_bytes() == (folder / figure.path).read_bytes()


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"MPLBACKEND": "crayon"}, "'crayon' is not a valid value for backend"),
        ({"LC_ALL": "xx_YY"}, "unsupported locale setting"),
    ],
    ids=["backend", "locale"],
)
def test_settings_that_matplotlib_refuses_are_the_users_to_mend(
    tmp_path: Path, settings: dict[str, str], refused: str
) -> None:
    (tmp_path / "matplotlibrc").write_text("axes.formatter.use_locale: True")
    code = (
        "from papi.sheet import house_style\n"
        "from papi.errors import EnvironmentProblem\n"
        "try:\n"
        "    house_style().__enter__()\n"
        "except EnvironmentProblem as error:\n"
        "    print(error)\n"
    )
    done = in_a_process_of_its_own(code, **settings | {"MATPLOTLIBRC": str(tmp_path)})
    assert refused in done.stdout, done.stderr
    assert "leave the figures out with --no-figures" in done.stdout


# what is measured


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_histograms_count_everybody_with_a_score_once(release: Path, manifest: Manifest, config: str) -> None:
    found = score_distributions(release, manifest, config)
    assert list(found) == [domain.name for domain in instrument(config).domains]
    for domain, splits in found.items():
        assert list(splits) == list(SPLITS)
        for split, one in splits.items():
            scores = load(release, config, split=split)[f"score_{domain}"].dropna().to_numpy(dtype=float)
            assert one.people == one.counts.sum() == len(scores)
            assert (one.mean, one.spread) == pytest.approx((scores.mean(), scores.std()))
            assert (one.edges[0], one.edges[-1]) == pytest.approx((1, 5), abs=0.3)
            middle = len(one.counts) // 2
            between = (scores > one.edges[middle]) & (scores < one.edges[middle + 1])
            assert one.counts[middle] == between.sum() > 0
            assert (one.per_tenth * np.diff(one.edges) * 10).sum() == pytest.approx(100)


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_every_bin_has_equally_many_of_the_scores_that_there_can_be(
    release: Path, manifest: Manifest, config: str
) -> None:
    domain = instrument(config).domains[0]
    items = len(domain.positions)
    edges = score_distributions(release, manifest, config)[domain.name][DEV].edges
    counts, _ = np.histogram(np.arange(items, 5 * items + 1) / items, edges)
    assert set(counts[:-1].tolist()) == {round(0.25 * items)}
    assert counts.sum() == 4 * items + 1


def holed(frame: pd.DataFrame) -> pd.DataFrame:
    """A tenth of the facet scores gone, and one facet in which nobody differs."""
    facets = [f"score_{facet.name}" for facet in instrument(IPIP_300).facets]
    gone = np.random.default_rng(len(frame)).random((len(frame), len(facets))) < 0.1
    frame[facets] = frame[facets].mask(gone)
    frame["score_O3"] = np.float32(2.7)
    return frame


def test_facets_are_correlated_over_the_people_who_have_both(release: Path, manifest: Manifest, tmp_path: Path) -> None:
    folder = changed(release, manifest, IPIP_300, tmp_path, holed)
    found = facet_correlations(folder, manifest)
    assert found is not None
    frames = [
        read_parquet([folder / p], IPIP_300).to_pandas() for s in SPLITS for p in shard_paths(manifest, IPIP_300, s)
    ]
    scores = pd.concat(frames)[[f"score_{facet.name}" for facet in instrument(IPIP_300).facets]].to_numpy(dtype=float)
    assert (found.config, found.people) == (IPIP_300, len(scores))
    constant = [facet.name for facet in instrument(IPIP_300).facets].index("O3")
    for i in range(30):
        for j in range(30):
            both = ~np.isnan(scores[:, i]) & ~np.isnan(scores[:, j])
            assert both.sum() < len(scores) or i == j == constant
            if constant in (i, j):
                assert np.isnan(found.values[i, j])
            else:
                expected = np.corrcoef(scores[both, i], scores[both, j])[0, 1]
                assert found.values[i, j] == pytest.approx(expected, abs=0.51 * 10**-DECIMALS)


def test_the_short_form_stands_in_for_the_long_one(release: Path, manifest: Manifest) -> None:
    short = facet_correlations(release, only(manifest, IPIP_120, DARK_TRIAD))
    assert short is not None
    assert short.config == IPIP_120
    scores = everybody(release, IPIP_120)[["score_N1", "score_N2"]].to_numpy(dtype=float, na_value=np.nan)
    assert short.values[0, 1] == pytest.approx(np.corrcoef(scores[~np.isnan(scores).any(axis=1)].T)[0, 1], abs=6e-4)
    assert facet_correlations(release, only(manifest, DARK_TRIAD)) is None


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_shares_are_those_of_the_tables(release: Path, manifest: Manifest, config: str) -> None:
    people = everybody(release, config)
    found = {shares.column: shares for shares in demographics(release, manifest, config)}
    assert list(found) == (["country", "source"] if config == DARK_TRIAD else ["sex", "age_band", "country"])
    for column, shares in found.items():
        expected = people[column].value_counts()
        assert shares.people == sum(shares.counts.values()) == len(people)
        assert shares.counts["not known"] == people[column].isna().sum()
        for name in shares.known:
            assert shares.counts[name] == expected.get(name, 0)
            assert shares.percent(name) == pytest.approx(100 * (people[column] == name).sum() / len(people))
    if config != DARK_TRIAD:
        assert (found["sex"].known, found["age_band"].known) == (SEXES, AGE_BANDS)


NAMES = [f"Land {letter}" for letter in "ABCDEFGHIJ"]


def travelled(frame: pd.DataFrame) -> pd.DataFrame:
    """Ten countries that are named, of which C has most people, the others equally many; then Other and not known."""
    places = [*NAMES, NAMES[2], "Other", None]
    frame["country"] = [places[i % len(places)] for i in range(len(frame))]
    return frame.head(len(frame) // len(places) * len(places))


def test_the_most_frequent_countries_are_named_and_the_rest_is_other(
    release: Path, manifest: Manifest, tmp_path: Path
) -> None:
    folder = changed(release, manifest, DARK_TRIAD, tmp_path, travelled)
    shares = demographics(folder, manifest, DARK_TRIAD)[0]
    each = shares.people // 13
    assert list(shares.counts) == ["Land C", "Land A", "Land B", *NAMES[3:COUNTRIES], "other", "not known"]
    assert list(shares.counts.values()) == [2 * each, *[each] * 7, 3 * each, each]
    assert shares.known == ("Land C", "Land A", "Land B", *NAMES[3:COUNTRIES])


@pytest.mark.parametrize("config", INSTRUMENTS)
def test_missing_answers_are_those_of_the_tables(release: Path, manifest: Manifest, config: str) -> None:
    people, found = everybody(release, config), missing_answers(release, manifest, config)
    answers = people[list(instrument(config).item_names)].isna().sum(axis=1)
    assert found.people == len(people)
    assert found.counts.tolist() == [(answers == n).sum() for n in range(len(instrument(config).items) + 1)]
    assert found.complete == pytest.approx(100 * (answers == 0).mean())
    assert found.beyond == pytest.approx(100 * (people["flag_missing"]).mean())


def test_alphas_stand_beside_the_published_ones(manifest: Manifest) -> None:
    table = pd.DataFrame(read_csv("papi", "facets.csv")).set_index("facet")
    for config, column in ((IPIP_300, "alpha_300"), (IPIP_120, "alpha_120")):
        for one in alphas(manifest, config):
            assert one.measured == manifest["configs"][config]["quality"]["alphas"][one.scale]
            assert one.published == (float(table[column][one.scale]) if table[column][one.scale] else None)
        assert sum(one.published is not None for one in alphas(manifest, config)) == 15
    assert [(one.scale, one.published) for one in alphas(manifest, DARK_TRIAD)] == [
        ("M", None),
        ("N", None),
        ("P", None),
    ]


def test_the_band_around_everybody_is_the_tolerance_of_the_sample() -> None:
    assert TOLERANCE == SAMPLE_TOLERANCE


# what is said


def alt(figures: tuple[Path, list[Figure]], name: str) -> str:
    return next(figure.alt for figure in figures[1] if figure.path == f"figures/{name}.png")


def test_alt_texts_say_what_was_measured(release: Path, manifest: Manifest, figures: tuple[Path, list[Figure]]) -> None:
    for config in INSTRUMENTS:
        people, facts = everybody(release, config), manifest["configs"][config]
        for split in SPLITS:
            scores = load(release, config, split=split)
            spreads = [scores[f"score_{d.name}"].std(ddof=0) for d in instrument(config).domains]
            assert f"{min(spreads):.2f} to {max(spreads):.2f} in {split}" in alt(figures, "domain-scores")
        measured = list(facts["quality"]["alphas"].values())
        said = f"{min(measured):.2f} to {max(measured):.2f} in {config}, mean {sum(measured) / len(measured):.2f}"
        assert said in alt(figures, "reliability")
        column = "source" if config == DARK_TRIAD else "sex"
        shares = 100 * people[column].value_counts() / len(people)
        assert f"{column} {shares.index[0].replace('_', ' ')} ({shares.iloc[0]:.1f} %)" in alt(figures, "people")
        complete = 100 * facts["quality"]["complete"] / len(people)
        assert f"in {config} {complete:.1f} % answered everything" in alt(figures, "missing-answers")
    for split in (TEST, TEST_POPULATION):
        ratios = [manifest["configs"][config]["likeness"][split]["extremes_ratio"] for config in INSTRUMENTS]
        assert f"{min(ratios):.2f} to {max(ratios):.2f} (answers 1 and 5)" in alt(figures, "likeness")


def test_the_alt_text_of_the_matrix_names_its_ends(
    release: Path, manifest: Manifest, figures: tuple[Path, list[Figure]]
) -> None:
    facets = [facet.name for facet in instrument(IPIP_300).facets]
    scores = everybody(release, IPIP_300)[[f"score_{name}" for name in facets]].astype(float)
    pairs = scores.corr().to_numpy(copy=True)
    np.fill_diagonal(pairs, np.nan)
    high, low = (np.unravel_index(place, pairs.shape) for place in (np.nanargmax(pairs), np.nanargmin(pairs)))
    said = alt(figures, "facet-correlations")
    assert f"the highest is {pairs[high]:.2f} ({facets[high[0]]} with {facets[high[1]]})" in said
    assert f"the lowest −{-pairs[low]:.2f} ({facets[low[0]]} with {facets[low[1]]})" in said
    same = np.kron(np.eye(5), np.ones((6, 6))).astype(bool)
    assert f"Their size is {np.nanmean(np.abs(pairs[same])):.2f} on average within a domain" in said
    assert f"and {np.nanmean(np.abs(pairs[~same])):.2f} between domains" in said


def test_simulated_people_are_called_so_and_real_ones_not(
    manifest: Manifest, figures: tuple[Path, list[Figure]]
) -> None:
    for figure in figures[1]:
        assert figure.title.endswith(" – simulated people")
        assert figure.alt.startswith(f"{figure.title}: ")
        assert figure.caption
    assert titled("Who is in it", manifest | {"simulated": False}) == "Who is in it"


def test_numbers_are_written_plainly() -> None:
    assert [number(value) for value in (-0.334, -0.001, 0.5)] == ["−0.33", "0.00", "0.50"]
    assert [percent(value) for value in (0, 0.0004, 0.06, 99.99, 100)] == ["0 %", "<0.1 %", "0.1 %", "100.0 %", "100 %"]
    assert [span(values) for values in ([0.1, None, float("nan"), -0.2], [0.101, 0.1], [None])] == [
        "−0.20 to 0.10",
        "0.10",
        "undefined",
    ]
    assert [shortened(name, 6) for name in ("Canada", "Portugal", "Sri La Nka")] == ["Canada", "Portu…", "Sri L…"]


# how it is drawn


def luminance(hexadecimal: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_stand_out_from_the_background() -> None:
    table = read_toml("papi", "colours.toml")
    assert contrast("#000000", "#FFFFFF") == 21
    areas = [table["background"], table["areas"]["everybody"]]
    assert min(contrast(text, area) for text in table["text"].values() for area in areas) >= 4.5
    assert min(contrast(mark, table["background"]) for mark in table["marks"].values()) >= 3


def pictures(release: Path, manifest: Manifest) -> Iterator[Picture]:
    with house_style():
        for name, draw in DRAW.items():
            heading = Heading(titled(read_toml("cards", "figures.toml")["figure"][name]["title"], manifest), "Reading.")
            picture = draw(release, manifest, heading)
            if picture:
                yield picture


@pytest.mark.parametrize(
    ("configs", "splits", "count"),
    [
        (INSTRUMENTS, SPLITS, 6),
        ((DARK_TRIAD,), SPLITS, 5),
        ((IPIP_120,), (TEST,), 6),
        ((IPIP_300, DARK_TRIAD), (DEV, TEST_POPULATION), 6),
    ],
    ids=["everything", "dark-triad alone", "one form, only test", "two, without test"],
)
def test_words_stay_apart_and_on_the_sheet(
    release: Path, manifest: Manifest, configs: tuple[str, ...], splits: tuple[str, ...], count: int
) -> None:
    part = only(manifest, *configs, splits=splits)
    with house_style():
        drawn = list(pictures(release, part))
        for picture in drawn:
            assert_well_set(picture.sheet)
    assert len(drawn) == count


def test_what_is_undefined_is_left_out(release: Path, manifest: Manifest) -> None:
    part = only(manifest, DARK_TRIAD)
    facts = part["configs"][DARK_TRIAD]
    facts["quality"]["alphas"] = {"M": None, "N": -0.31, "P": None}
    facts["likeness"][TEST] |= {"alpha_ratio": None, "trait_distances": {"M": None, "N": 0.2, "P": 0.1}}
    drawn = list(pictures(release, part))
    assert "-0.31" not in drawn[1].alt
    assert "Alphas are −0.31 in dark-triad, mean −0.31." in drawn[1].alt
    assert "undefined (alpha of the scales) and undefined (domain scores)" in drawn[3].alt
    assert next(iter(comparisons(part))).values["distance"] is None


def abroad(frame: pd.DataFrame) -> pd.DataFrame:
    """Names that are long, and such that matplotlib could take for formulas."""
    places = ["Bosnia and Herzegovina", "$x_1$ Land", "St. Vincent and the Grenadines", *NAMES]
    frame["country"] = [places[i % len(places)] for i in range(len(frame))]
    return frame


def test_whatever_a_country_is_called_it_has_room(release: Path, manifest: Manifest, tmp_path: Path) -> None:
    for config in INSTRUMENTS:
        changed(release, manifest, config, tmp_path, abroad)
    with house_style():
        picture = DRAW["people"](tmp_path, manifest, HEADING)
        assert picture is not None
        assert_well_set(picture.sheet)
        shown = [word.get_text() for word in drawn_words(picture.sheet)]
    assert {"Bosnia and H…", "$x 1$ Land"} <= set(shown)


def test_a_split_of_few_people_has_no_line_and_this_is_said(release: Path, manifest: Manifest) -> None:
    part = only(manifest, DARK_TRIAD)
    part["configs"][DARK_TRIAD]["splits"] |= {TEST: 29}
    with house_style():
        picture = DRAW["domain-scores"](release, part, HEADING)
        assert picture is not None
        shown = [word.get_text() for word in drawn_words(picture.sheet)]
    assert "324 in dev, 29 in test (too few for a line), 36 in test_population" in shown
    assert TEST not in shown
    assert {len(axes.lines) for axes in picture.sheet.figure.axes} == {2}


def test_people_beyond_the_limit_are_marked(release: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.zeros(28, dtype=np.int64)
    counts[[0, 2, 3, 7, 27]] = 900, 50, 30, 15, 5
    monkeypatch.setattr("cards.figures.missing.missing_answers", lambda *of: Missing(2, counts))
    with house_style():
        picture = DRAW["missing-answers"](release, only(manifest, DARK_TRIAD), HEADING)
    assert picture is not None
    assert "90.0 % answered everything, 5.0 % are beyond the limit of 2" in picture.alt
    within, beyond, _ = picture.sheet.figure.axes[0].lines
    assert [np.column_stack(line.get_data()).tolist() for line in (within, beyond)] == [
        [[0, 90], [2, 5]],
        [[3, 3], [7, 2]],
    ]


def test_matplotlib_is_left_as_it_was() -> None:
    before = dict(matplotlib.rcParams)
    with house_style():
        assert matplotlib.rcParams["axes.spines.top"] is False
    assert dict(matplotlib.rcParams) == before


def test_every_figure_has_its_texts() -> None:
    table = read_toml("cards", "figures.toml")["figure"]
    assert list(table) == list(DRAW)
    assert all(set(facts) == {"title", "reading", "caption"} for facts in table.values())


def test_shares_of_a_value_nobody_has() -> None:
    assert Shares("sex", 4, {"male": 0, "female": 4}, ("male", "female")).percent("male") == 0
