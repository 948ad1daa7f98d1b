"""The folder of raw files: known by name, else by content, the rest listed; and copies that must agree."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_writers import FORMS, LONG, SD3_NAMES, SHORT, csv, dat, person, sd3, some_people

from builders.raw.files import RawFolder, find_raw_files, is_pinned
from builders.raw.inputs import RawInputs, instruments_found
from builders.raw.ipip_csv import read_ipip_csv
from builders.raw.ipip_dat import read_ipip_dat
from builders.simulate import simulated_item_key
from builders.simulate_files import sd3_codebook
from papi.errors import InputRejected, MissingFile, PapiError
from papi.instruments import DARK_TRIAD, INSTRUMENTS, instrument

ROWS = [([i % 5 + 1 for i in range(27)], "NA", 1), ([3] * 27, "", 2)]
PUBLISHED = {
    "published-ipip": [{"case": 1} | {f"i{i}": 3 for i in range(1, 301)}],
    "published-dark-triad": [dict.fromkeys(SD3_NAMES, 3) | {"country": "US", "source": 1}],
}
CONTENTS = {
    "ipip-neo-300-dat": dat(LONG, some_people(LONG)),
    "ipip-neo-120-dat": dat(SHORT, some_people(SHORT)),
    "ipip-neo-300-csv": csv(LONG, some_people(LONG)),
    "ipip-neo-120-csv": csv(SHORT, some_people(SHORT)),
    "dark-triad-data": sd3(ROWS),
    "codebook": sd3_codebook(),
    "item-key": simulated_item_key(),
} | {kind: json.dumps(people, indent=4).encode() for kind, people in PUBLISHED.items()}
NAMES = {
    "ipip-neo-300-dat": "IPIP300.dat",
    "ipip-neo-120-dat": "IPIP120.dat",
    "ipip-neo-300-csv": "IPIP_NEO_300.csv",
    "ipip-neo-120-csv": "IPIP_NEO_120.csv",
    "dark-triad-data": "data.csv",
}
DAT = {LONG: "IPIP300.dat", SHORT: "IPIP120.dat"}
CSV = {LONG: "IPIP_NEO_300.csv", SHORT: "IPIP_NEO_120.csv"}
DIRECTORY_OFFSET = slice(-6, -2)  # in an archive without a comment
kinds = pytest.mark.parametrize("kind", CONTENTS)
forms = pytest.mark.parametrize("form", FORMS)


def put(folder: Path, files: dict[str, bytes]) -> RawFolder:
    """Write files into a folder and look for them."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return find_raw_files(folder)


def archive(path: Path, files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    content = path.read_bytes()
    path.unlink()
    return content


def answers(found: RawFolder, name: str) -> np.ndarray:
    return RawInputs(found).answers(instrument(name))[0].answers


def listed(found: RawFolder) -> list[tuple[str, str]]:
    return [(file.label, file.kind) for file in found.files]


# finding


@kinds
def test_a_file_of_another_name_is_recognised_by_its_content(kind: str, tmp_path: Path) -> None:
    found = put(tmp_path, {"deep/er/something": CONTENTS[kind], "something.gz": gzip.compress(CONTENTS[kind])})
    packed = [] if kind == "item-key" else [("something.gz", kind)]
    assert listed(found) == [("deep/er/something", kind), *packed]
    assert [file.content() for file in found.files] == [CONTENTS[kind]] * len(found.files)


@pytest.mark.parametrize("kind", NAMES)
def test_a_known_name_is_known_whatever_its_capitals_and_packed(kind: str, tmp_path: Path) -> None:
    name = NAMES[kind]
    found = put(tmp_path, {f"a/{name.upper()}": b"", f"b/{name.lower()}.gz": b"", f"c/{name}": b""})
    assert {file.kind for file in found.files} == {kind}
    assert len(found.files) == 3


def test_an_item_key_may_be_packed_under_its_name(tmp_path: Path) -> None:
    found = put(tmp_path, {"IPIP-NEO-ItemKey.xls.gz": gzip.compress(CONTENTS["item-key"])})
    assert RawInputs(found).texts("ipip").content == "simulated"


@pytest.mark.parametrize("name", ["SD3.zip", "other.zip"])
def test_an_archive_of_the_dark_triad_is_recognised_by_its_members(name: str, tmp_path: Path) -> None:
    files = {"SD3/data.csv": sd3(ROWS), "SD3/codebook.txt": sd3_codebook(), "SD3/notes.txt": b"x"}
    found = put(tmp_path, {name: archive(tmp_path / "made", files)})
    assert listed(found) == [(f"{name}:SD3/data.csv", "dark-triad-data"), (f"{name}:SD3/codebook.txt", "codebook")]
    assert found.files[0].content() == sd3(ROWS)
    assert found.files[0].name == f"{name}:SD3/data.csv"


def test_unknown_files_are_listed_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    other = archive(tmp_path / "made", {"x.txt": b"x"})
    unknown = {
        "a.txt": b"hello",
        "b/c.csv": b"x,y\n",
        "empty": b"",
        "n.json": b"[]",
        "o.zip": other,
        "p.gz": b"\x1f\x8b",
    }
    unknown |= {"q.xls": b"\xd0\xcf\x11\xe0", "r.zip": b"PK\x03\x04", "almost.dat": CONTENTS["ipip-neo-120-dat"][1:]}
    found = put(tmp_path, unknown | {".DS_Store": b"x", "kept.dat": CONTENTS["ipip-neo-120-dat"]})
    assert found.ignored == tuple(sorted(unknown))
    assert listed(found) == [("kept.dat", "ipip-neo-120-dat")]


@pytest.mark.parametrize("other", ["Test", ""])
def test_a_csv_is_recognised_with_every_liberty_of_a_copy(other: str, tmp_path: Path) -> None:
    people = some_people(SHORT)
    copies = {f"{other}{i}": csv(SHORT, people, "\r\n", bom=i == 0, index=i == 1, capitals=i == 2) for i in range(3)}
    assert [kind for _, kind in listed(put(tmp_path, copies))] == ["ipip-neo-120-csv"] * 3


def test_a_file_found_by_two_ways_is_one(tmp_path: Path) -> None:
    put(tmp_path, {"x": CONTENTS["codebook"]})
    assert len(find_raw_files(tmp_path, tmp_path).files) == 1


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="is not there"):
        find_raw_files(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputRejected, match="is no folder"):
        find_raw_files(tmp_path / "file")


# a known name binds


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b", *(CONTENTS[kind] for kind in sorted(NAMES))])
def test_a_known_name_must_have_that_content(kind: str, content: bytes, tmp_path: Path) -> None:
    found = put(tmp_path, {NAMES[kind]: content})
    name = next(of for of in INSTRUMENTS if kind.startswith(of))
    if content == CONTENTS[kind]:
        assert len(answers(found, name)) in (2, 3)
    else:
        with pytest.raises(InputRejected, match=NAMES[kind]):
            answers(found, name)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_an_archive_s_name_must_have_an_archive(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match=r"SD3\.zip is no readable zip archive"):
        put(tmp_path, {"SD3.zip": content})


def test_an_archive_s_name_must_have_its_members(tmp_path: Path) -> None:
    with pytest.raises(InputRejected):
        put(tmp_path, {"SD3.zip": archive(tmp_path / "made", {"x.txt": b"x"})})


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-9], lambda c: c[:40], lambda c: b"x" + c, lambda c: c[:60] + b"?" + c[61:]]
)
def test_a_damaged_gzip_file_is_refused(damage: object, tmp_path: Path) -> None:
    packed = gzip.compress(CONTENTS["ipip-neo-120-dat"])
    with pytest.raises(InputRejected, match="cannot be unpacked"):
        answers(put(tmp_path, {"IPIP120.dat.gz": damage(packed)}), SHORT)  # type: ignore[operator]


def test_an_archive_with_a_wrong_directory_offset_is_refused(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "made", {"SD3/data.csv": sd3(ROWS)}))
    content[DIRECTORY_OFFSET] = (int.from_bytes(content[DIRECTORY_OFFSET], "little") + 256).to_bytes(4, "little")
    with pytest.raises(InputRejected):
        answers(put(tmp_path, {"SD3.zip": bytes(content)}), DARK_TRIAD)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_replaced_byte_of_an_archive_raises_nothing_but_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    content = bytearray(archive(folder / "made", {"SD3/data.csv": sd3(ROWS)}))
    places = st.integers(0, len(content) - 1).filter(
        lambda place: not DIRECTORY_OFFSET.start <= place - len(content) < -2
    )
    content[data.draw(places)] = data.draw(st.integers(0, 255))
    try:
        got = answers(put(folder / "raw", {"SD3.zip": bytes(content)}), DARK_TRIAD)
    except PapiError:
        return
    assert got.tolist() == [row[0] for row in ROWS]


# several files of one instrument


@forms
def test_records_and_csv_of_the_same_answers_agree_in_whatever_order(form: str, tmp_path: Path) -> None:
    people = some_people(form, 4)
    inputs = RawInputs(put(tmp_path, {DAT[form]: dat(form, people), CSV[form]: csv(form, people[::-1])}))
    table, pinned = inputs.answers(instrument(form))
    assert table.people["case"].tolist() == [1, 2, 3, 4]
    assert not pinned
    assert [(record.name, record.use) for record in inputs.records] == [(DAT[form], "source"), (CSV[form], "duplicate")]


@forms
@pytest.mark.parametrize("damage", ["an answer", "a case", "a person less", "a person more"])
def test_files_that_disagree_are_refused_and_both_named(form: str, damage: str, tmp_path: Path) -> None:
    people = some_people(form, 4)
    others = {
        "an answer": [*people[:3], person(form, 4, answers=[*people[3]["answers"][:-1], 0])],
        "a case": [*people[:3], people[3] | {"case": 9}],
        "a person less": people[:3],
        "a person more": [*people, person(form, 5)],
    }[damage]
    found = put(tmp_path, {f"a/{DAT[form]}": dat(form, people), f"b/{DAT[form]}.gz": gzip.compress(dat(form, others))})
    with pytest.raises(InputRejected) as caught:
        answers(found, form)
    assert f"a/{DAT[form]}" in str(caught.value)
    assert f"b/{DAT[form]}.gz" in str(caught.value)


def test_the_archive_is_the_source_and_the_loose_file_its_duplicate(tmp_path: Path) -> None:
    packed = archive(tmp_path / "made", {"SD3/data.csv": sd3(ROWS)})
    inputs = RawInputs(put(tmp_path, {"data.csv": sd3(ROWS, "\r\n"), "z.zip": packed}))
    inputs.answers(instrument(DARK_TRIAD))
    uses = [(record.name, record.use) for record in inputs.records]
    assert uses == [("z.zip:SD3/data.csv", "source"), ("data.csv", "duplicate")]


def test_an_archive_and_a_loose_file_that_disagree_are_refused(tmp_path: Path) -> None:
    packed = archive(tmp_path / "made", {"SD3/data.csv": sd3(ROWS)})
    with pytest.raises(InputRejected, match="do not hold the same answers"):
        answers(put(tmp_path, {"data.csv": sd3(ROWS[::-1]), "SD3.zip": packed}), DARK_TRIAD)


def test_one_damaged_copy_refuses_all(tmp_path: Path) -> None:
    good = CONTENTS["ipip-neo-120-dat"]
    with pytest.raises(InputRejected, match=r"b/IPIP120\.dat"):
        answers(put(tmp_path, {"a/IPIP120.dat": good, "b/IPIP120.dat": good[:-9]}), SHORT)


def test_without_answers_or_texts_the_missing_file_is_named(tmp_path: Path) -> None:
    found = put(tmp_path, {"IPIP120.dat": CONTENTS["ipip-neo-120-dat"], "x.txt": b"x"})
    assert list(instruments_found(found)) == [SHORT]
    with pytest.raises(MissingFile, match=r"the answers of ipip-neo-300(.|\n)*ignored: x\.txt"):
        answers(found, LONG)
    for family, said in {"ipip": "item key", "sd3": r"codebook\.txt"}.items():
        with pytest.raises(MissingFile, match=said):
            RawInputs(found).texts(family)


def test_no_simulated_file_is_pinned_and_pinned_ones_may_be_required(simulated_raw: Path) -> None:
    found = find_raw_files(simulated_raw)
    assert not any(is_pinned(file.content()) for file in found.files)
    with pytest.raises(InputRejected, match="is not a known file"):
        RawInputs(found, require_pinned=True).answers(instrument(DARK_TRIAD))


# the real files


@forms
def test_the_real_records_and_csv_are_one_table(form: str, real_data: Path) -> None:
    folder = real_data / "raw/ipip"
    one = read_ipip_dat((folder / DAT[form]).read_bytes(), form, DAT[form])
    other = read_ipip_csv((folder / CSV[form]).read_bytes(), form, CSV[form])
    assert len(one) == len(other) == 200
    assert np.array_equal(one.answers, other.answers)
    pd.testing.assert_frame_equal(one.people, other.people)
    assert (one.impossible, one.blank) == (other.impossible, other.blank)


def test_the_real_folder_is_recognised_whole_and_under_other_names(real_data: Path, tmp_path: Path) -> None:
    found = find_raw_files(real_data / "raw", real_data / "published")
    for i, file in enumerate(found.files):
        if file.member is None:
            shutil.copy(file.path, tmp_path / f"copy{i}")
    renamed = find_raw_files(tmp_path)
    assert renamed.ignored == ()
    assert sorted(file.kind for file in renamed.files) == sorted(f.kind for f in found.files if f.member is None)
    assert {file.kind for file in found.files} == set(CONTENTS)
