"""The checker of .tree files finds what it is there to find."""

from __future__ import annotations

import pytest

from scripts.trees import check, check_tree

TESTS = {"test_one", "test_two"}
GOOD = """Escrow.pay
├── given it is open
│   ├── when he asks
│   │   └── it pays [test_one]
│   └── when she asks
│       ├── it pays [test_two]
│       └── it says so [test_one]
└── it returns the sum [test_two]
"""


def test_a_good_tree_has_no_fault():
    assert check_tree(GOOD, "Escrow.pay", TESTS) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("Escrow.pay\n", "Escrow.play\n"), "line 1"),
        (("it pays [test_one]", "it pays [test_three]"), "no test in tests/forge is called test_three"),
        (("it pays [test_one]", "it pays"), "expected `given ...`"),
        (("when he asks", "he asks"), "expected `given ...`"),
        (("│   │   └── it pays [test_one]\n", ""), "line 3: a branch ends without a leaf"),
        (("└── it returns the sum [test_two]\n", ""), "has nothing after it"),
        (("│       └── it says so", "│       ├── it says so"), "has nothing after it"),
        (("│   │   └──", "│       └──"), "drawn from no branch"),
        (("├── given it is open", "└── given it is open"), "drawn from no branch"),
        (("│   └── when she asks", "│   | when she asks"), "expected `├── `"),
        (("├── given it is open", "├── it is open [test_one]"), "a leaf (`it ...`) carries a branch"),
    ],
)
def test_each_fault_is_named(change, fault):
    assert GOOD.count(change[0]) == 1

    faults = check_tree(GOOD.replace(*change), "Escrow.pay", TESTS)

    assert any(fault in line for line in faults), faults


def test_a_tree_without_a_branch_shows_nothing():
    assert check_tree("Escrow.pay\n", "Escrow.pay", TESTS) == ["has no branch"]


def test_every_function_has_a_tree_and_every_tree_a_function():
    faults = check({"Escrow.pay", "Escrow.wait"}, {"Escrow.pay": GOOD, "Escrow.gone": GOOD}, TESTS)

    assert faults == [
        "Escrow.wait: has no tree (tests/forge/trees/Escrow.wait.tree)",
        "Escrow.gone.tree: there is no such public function",
    ]
