"""The table in docs/faults.md: every row is proved by tests that exist and run; every fault point is documented."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from orders.faults import POINTS

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = {"P": 8, "R": 4, "D": 4, "V": 18, "S": 3, "F": 5, "C": 1, "W": 1, "M": 12}
ROWS = [f"{family}{number}" for family, last in FAMILIES.items() for number in range(1, last + 1)]


def table() -> dict[str, list[str]]:
    """Rows of the page with the tests they name."""
    found = re.findall(r"^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", (ROOT / "docs" / "faults.md").read_text(), re.M)
    return {row: re.findall(r"`([^`]+)`", tests) for row, tests in found}


@cache
def found_in(module: str) -> dict[str, str]:
    """A module's tests, each with what marks it and whatever else could keep it from running."""
    path = ROOT / "tests" / module
    tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
    marks = " ".join(ast.unparse(line) for line in tree.body if "pytestmark" in ast.unparse(line)[:12])
    return {
        line.name: marks + " ".join(ast.unparse(mark) for mark in line.decorator_list) + ast.unparse(line)
        for line in tree.body
        if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef) and line.name.startswith("test_")
    }


def fault_of(test: str) -> str:
    """What is wrong with a test's name in the table; nothing when it exists and runs."""
    module, _, name = test.partition("::")
    source = found_in(module).get(name)
    if source is None:
        return f"{test} does not exist"
    source = re.sub(r"skipif\(sys\.platform [^)]*\)", "", source)  # what only some systems can do, Linux does
    return f"{test} may be skipped" if re.search(r"\b(skip|skipif|xfail|importorskip)\b", source) else ""


def test_the_table_has_every_row_once():
    assert list(table()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_proved_by_tests_that_exist_and_run(row):
    named = table()[row]
    assert named, "it names no test"
    assert [fault for fault in map(fault_of, named) if fault] == []


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        ("test_fault_matrix.py::test_nobody_wrote", "does not exist"),
        ("test_nowhere.py::test_x", "does not exist"),
        ("test_fault_matrix.py::test_that_never_runs", "may be skipped"),
    ],
)
def test_negative_control_a_name_without_a_test_that_runs_is_found_out(test, fault, monkeypatch):
    real = found_in("test_fault_matrix.py")
    monkeypatch.setitem(real, "test_that_never_runs", "@pytest.mark.skip\ndef test_that_never_runs(): ...")
    assert fault in fault_of(test)


def test_every_fault_point_stands_in_the_documents_in_its_own_words():
    page = (ROOT / "docs" / "operations.md").read_text()
    assert [point for point, says in POINTS.items() if f"| `{point}` | {says} |" not in page] == []
