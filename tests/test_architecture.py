"""The design's conventions as tests: who may import whom, what is imported late, and what no file may hold."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import xlrd

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "papi": set(),
    "validation": {"papi"},
    "builders": {"papi", "validation", "cards"},
    "cards": {"papi"},
    "alignment": {"papi"},
}
LATE = {"torch", "transformers", "matplotlib", "huggingface_hub", "datasets", "sklearn"}
TORCH_ROOMS = (
    "alignment.respondent",
    "alignment.pocket",
    "alignment.training",
    "alignment.export",
)  # torch at the top; others import these rooms late
NOT_FOR_HELP = LATE | {"pandas", "pyarrow", "scipy", "builders", "validation", "cards", "alignment"}
LONGEST_FUNCTION, LONGEST_FILE = 40, 250
NOT_OURS = {
    "__pycache__",
    "build",
    "dist",
    "papi-demo",
    "papi-align-demo",
    "pocket-ladder",
    "runs",
}  # and whatever starts with a dot, but .ci
LOCAL_PATH = re.compile(r"(?<![\w.~/-])/(?:work|root|tmp|home)/\w[^\s\"'`)]*")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported module; `late` inside a function, `typing` where only a type checker looks."""

    name: str
    late: bool
    typing: bool


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = {module_name(path): path for package in MAY_IMPORT for path in sources(package)}


def imports(path: Path) -> list[Import]:
    return list(_imports(tree(path), late=False, typing=False))


def _imports(node: ast.AST, late: bool, typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, late, typing) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports are not the project's way"
        module = str(node.module)
        names = [f"{module}.{alias.name}" for alias in node.names]
        yield from (Import(name if name in MODULES else module, late, typing) for name in names)
    for child in ast.iter_child_nodes(node):
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        yield from _imports(child, late or isinstance(node, Function | ast.Lambda), typing or guarded)


def package_of(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_the_table_lets_it(package: str) -> None:
    foreign = MAY_IMPORT.keys() - {package} - MAY_IMPORT[package]
    wrong = [
        (module, each.name)
        for module, path in MODULES.items()
        for each in imports(path)
        if package_of(module) == package and package_of(each.name) in foreign
        if not (module.startswith("papi.cli") and (each.late or each.typing))
    ]
    assert wrong == []


def test_the_command_line_does_import_the_others_late() -> None:
    """The negation: without its exception the table would be broken."""
    late = {package_of(e.name) for m, p in MODULES.items() if m.startswith("papi.cli") for e in imports(p) if e.late}
    assert "builders" in late


def test_nothing_imports_the_command_line_but_itself() -> None:
    importers = {module for module, path in MODULES.items() for e in imports(path) if e.name.startswith("papi.cli")}
    assert all(module == "papi.__main__" or module.startswith("papi.cli") for module in importers)


def test_no_modules_import_each_other_in_a_circle_not_even_late() -> None:
    graph = {
        module: {each.name for each in imports(path) if each.name in MODULES and not each.typing} - {module}
        for module, path in MODULES.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    early = [
        (module, each.name)
        for module, path in MODULES.items()
        for each in imports(path)
        if package_of(each.name) in LATE and not (each.late or each.typing)
        if not (in_torch_room(module) and package_of(each.name) in {"torch", "transformers"})
    ]
    assert early == []


def in_torch_room(module: str) -> bool:
    return module.startswith(TORCH_ROOMS)


def test_rooms_with_torch_are_entered_late() -> None:
    early = [
        (module, each.name)
        for module, path in MODULES.items()
        for each in imports(path)
        if in_torch_room(each.name) and not in_torch_room(module) and not (each.late or each.typing)
    ]
    assert early == []
    assert any(e.name == "torch" and not e.late for m, p in MODULES.items() if in_torch_room(m) for e in imports(p))


def test_only_alignment_knows_torch() -> None:
    wanting = {m for m, p in MODULES.items() for e in imports(p) if package_of(e.name) in {"torch", "transformers"}}
    assert all(package_of(module) == "alignment" for module in wanting)


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    code = "import sys, papi.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "papi" in done.stdout.split()
    assert NOT_FOR_HELP.isdisjoint(done.stdout.split())


def test_every_package_is_installed_with_the_rest() -> None:
    folders = {init.parent for package in MAY_IMPORT for init in (ROOT / package).rglob("__init__.py")}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(folder.relative_to(ROOT).as_posix().replace("/", ".") for folder in folders)


def test_every_table_is_read_somewhere() -> None:
    tables = [
        p for package in MAY_IMPORT for p in (ROOT / package / "tables").glob("*") if p.suffix in (".csv", ".toml")
    ]
    constants = {
        node.value
        for path in MODULES.values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert len(tables) > 10
    assert [table.name for table in tables if table.name not in constants] == []


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_functions_and_files_stay_short(package: str) -> None:
    long_files = [path.name for path in sources(package) if len(path.read_text().splitlines()) > LONGEST_FILE]
    long_functions = [
        f"{path.name}: {node.name}"
        for path in sources(package)
        for node in ast.walk(tree(path))
        if isinstance(node, Function) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert (long_files, long_functions) == ([], [])


@cache
def project_files() -> tuple[Path, ...]:
    """What is or will be tracked: everything but caches, environments and builds."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not (name[0] == "." or name in NOT_OURS)]
        found += [Path(folder, name) for name in names if name == ".gitignore" or name[0] != "."]
    return tuple(sorted(path for path in found if ".egg-info" not in str(path)))


def is_test(path: Path) -> bool:
    return path.is_relative_to(ROOT / "tests")


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def local_paths(path: Path) -> list[str]:
    return [f"{path.relative_to(ROOT)}: {found}" for found in LOCAL_PATH.findall(text_of(path))]


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert [found for path in project_files() if not is_test(path) for found in local_paths(path)] == []


def test_a_local_path_would_be_noticed() -> None:
    somewhere = "/".join(("", "home", "somebody", "x"))  # in parts: no file names such a place, this one included
    for text, noticed in ((f"see {somewhere}", True), (f"https://a.b{somewhere}", False), (f"..{somewhere}", False)):
        assert bool(LOCAL_PATH.search(text)) == noticed


def plain(text: str) -> str:
    return f" {re.sub(r'[^a-z]+', ' ', text.lower()).strip()} "


def wordings_in(text: str, wordings: list[str]) -> list[str]:
    """Wordings with their full stop, or, from four words on, however they are written."""
    lower, words = text.lower(), plain(text)
    return [w for w in wordings if w.lower() in lower or (len(w.split()) > 3 and plain(w) in words)]


@pytest.fixture(scope="module")
def real_wordings(real_data: Path) -> list[str]:
    sheet = xlrd.open_workbook(real_data / "raw" / "ipip" / "IPIP-NEO-ItemKey.xls").sheet_by_index(0)
    codebook = (real_data / "raw" / "sd3" / "codebook.txt").read_bytes().decode("cp1252")
    lines = re.findall(r"^[MNP][1-9]\t(.*?)\s*$", codebook, re.MULTILINE)
    assert (sheet.nrows, len(lines)) == (301, 27)
    return [sheet.cell_value(row, 5) for row in range(1, 301)] + lines


def files_with(wordings: list[str], *, tests: bool) -> dict[str, list[str]]:
    found = {path.name: wordings_in(text_of(path), wordings) for path in project_files() if is_test(path) == tests}
    return {name: each for name, each in found.items() if each}


def test_a_wording_would_be_noticed_in_whatever_person_and_case(real_wordings: list[str]) -> None:
    for text in (f"You {real_wordings[0].lower()}", f'"{real_wordings[0].upper()}"'):
        assert wordings_in(text, real_wordings) == [real_wordings[0]]


def test_no_wording_of_the_real_questionnaires_stands_in_any_file(real_wordings: list[str]) -> None:
    assert ROOT / "papi" / "tables" / "simulated_statements_ipip.csv" in project_files()
    assert files_with(real_wordings, tests=False) == {}


def test_nor_in_the_tests_but_for_three_examples_of_grammar(real_wordings: list[str]) -> None:
    assert set(files_with(real_wordings, tests=True)) <= {"test_statements.py"}
    assert sum(map(len, files_with(real_wordings, tests=True).values())) <= 3


WRITING = {
    "unlink",
    "rename",
    "mkdir",
    "rmdir",
    "write_bytes",
    "write_text",
    "touch",
    "symlink_to",
    "rmtree",
    "makedirs",
}
WRITERS = {"papi.files"}  # the one layer through which everything is written, moved or removed


def writes(path: Path) -> list[str]:
    """Calls of methods that write, and of `open` and `os.replace`, whatever they are called on."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    methods = [call.func for call in calls if isinstance(call.func, ast.Attribute)]
    found = [m.attr for m in methods if m.attr in WRITING and ast.unparse(m.value) != "self"]
    found += ["os.replace" for m in methods if ast.unparse(m) in ("os.replace", "os.remove", "os.rename")]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "open"]
    return found + ["open" for call in named if call.args[1:]]


def test_everything_is_written_through_one_layer() -> None:
    assert {module: writes(path) for module, path in MODULES.items() if module not in WRITERS and writes(path)} == {}


def test_the_layer_itself_is_seen_to_write() -> None:
    assert {"mkdir", "unlink", "rmtree", "os.replace", "open"} <= set(writes(MODULES["papi.files"]))
