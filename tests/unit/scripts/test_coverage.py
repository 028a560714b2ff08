"""What no test runs fails, and so does an excuse that nothing needs."""

from __future__ import annotations

from scripts.coverage import judge, read

SOURCE = "contract A {\n  a;\n  if (b) c;\n  d;\n  d;\n}\n"
LCOV = """TN:
SF:contracts/A.sol
DA:2,7
DA:3,7
BRDA:3,0,0,1
DA:4,1
DA:5,1
end_of_record
SF:node_modules/B.sol
DA:1,0
end_of_record
"""


def faults(lcov, *exceptions):
    given = [{"file": "contracts/A.sol", "line": line, "reason": reason} for line, reason in exceptions]
    return judge(read(lcov), {"contracts/A.sol": SOURCE}, given)


def test_all_run_is_no_fault():
    assert faults(LCOV) == []


def test_a_line_that_no_test_runs_is_named():
    assert faults(LCOV.replace("DA:2,7", "DA:2,0")) == ["contracts/A.sol:2: not covered: a;"]


def test_a_branch_that_was_not_taken_or_never_reached_is_named():
    for hits in ("0", "-"):
        assert faults(LCOV.replace("BRDA:3,0,0,1", f"BRDA:3,0,0,{hits}")) == [
            "contracts/A.sol:3: not covered: if (b) c;"
        ]


def test_a_contract_that_is_not_in_the_report_is_named():
    assert faults("") == ["contracts/A.sol: is not in forge's report"]


def test_a_reason_excuses_its_line_and_only_while_it_is_needed():
    missing = LCOV.replace("DA:2,7", "DA:2,0")

    assert faults(missing, ("a;", "cannot happen")) == []
    assert faults(missing, ("a;", " ")) == ["contracts/A.sol:2: not covered: a;"]
    assert "needs this any more" in faults(LCOV, ("a;", "cannot happen"))[0]


def test_one_reason_does_not_excuse_two_lines():
    missing = LCOV.replace("DA:4,1", "DA:4,0").replace("DA:5,1", "DA:5,0")

    assert "2 uncovered lines" in faults(missing, ("d;", "cannot happen"))[0]
