"""docs/money.md tells every step that the rules have, and no other; its picture and its tables tell the same ones."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest

from keeper.protocol.due import settle_bps
from keeper.protocol.machine import Action, available, standing_after_dispute, transition
from keeper.protocol.types import (
    ALL_BPS,
    DAY,
    MAX_AHEAD,
    MAX_UINT40,
    MAX_WINDOW,
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Milestone,
    MilestoneState,
    Status,
    Terms,
)
from scripts.trees import TEST

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "money.md"
PICTURE = ROOT / "docs" / "pictures" / "states.svg"

AWARDED, STANDING, SINCE = 6_400, 1_600, 1_800_000_500
MILESTONE = Milestone(amount=1_000_000, submit_by=1_800_000_000, criteria=ZERO32)
TERMS = Terms(
    payer=Address("0x" + "11" * 20), payee=Address("0x" + "22" * 20), token=ZERO_ADDRESS,
    verifier=Address("0x" + "33" * 20), quorum=bytes([7]) * 32, arbiter=Address("0x" + "44" * 20), arbiter_hook=False,
    review_window=3_000, challenge_window=700, ruling_window=50, unreviewed_bps=2_500, unruled_bps=1_200,
    fee_bps=0, fee_to=ZERO_ADDRESS, tip=0, document=ZERO32, salt=ZERO32,
)  # fmt: skip
"""Every number of its own, so that no formula of the page can stand for another."""

KINDS = {
    "any": {(False, False), (False, True), (True, False), (True, True)},
    "a verifier": {(True, False), (True, True)},
    "an arbiter": {(False, True), (True, True)},
    "a verifier and an arbiter": {(True, True)},
    "an arbiter and no verifier": {(False, True)},
}
"""In which agreements a row applies: (has a verifier, has an arbiter)."""


def terms_of(verifier: bool, arbiter: bool) -> Terms:
    """Terms of that kind as funding accepts them: a window is 0 where there is nothing that it is for."""
    terms = TERMS
    if not verifier:
        terms = replace(terms, verifier=ZERO_ADDRESS, quorum=ZERO32)
    if not arbiter:
        terms = replace(terms, arbiter=ZERO_ADDRESS, ruling_window=0, unreviewed_bps=0)
    if verifier or not arbiter:
        terms = replace(terms, unruled_bps=0)
    return terms if verifier and arbiter else replace(terms, challenge_window=0)


@dataclass(frozen=True)
class Place:
    """Where an open milestone stands, as the page's column "from" says it."""

    status: Status
    rejected: bool = False

    def __str__(self) -> str:
        return self.status.name.lower() + (", rejected" if self.rejected else "")

    def state(self) -> MilestoneState:
        """A state of that kind; a milestone that was only funded has no step behind it."""
        moved = self.rejected or self.status is not Status.FUNDED
        standing = {Status.ATTESTED: AWARDED, Status.DISPUTED: STANDING}.get(self.status, 0)
        return MilestoneState(self.status, int(self.rejected), SINCE if moved else 0, standing_bps=standing)


def tables(head: str) -> list[list[list[str]]]:
    """The rows of each of the page's tables that begins with `head`, without the head."""
    found = re.findall(rf"^\| {re.escape(head)}.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE.read_text(), flags=re.MULTILINE)
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in rows.splitlines()] for rows in found]


@dataclass(frozen=True)
class Step:
    """One way on from one place, as the page tells it or as the rules have it; times in unix seconds."""

    place: str
    what: str
    who: str
    opens: int
    closes: int
    leads_to: str
    share: int | None
    """What stands or is paid, in 1/10000; None where the terms do not say it."""


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda letter: letter[1].upper(), name)


def value_of(cell: str, terms: Terms, state: MilestoneState) -> int:
    """What a formula of the page comes to."""
    if cell in ("at once", "no end"):
        return 0 if cell == "at once" else MAX_UINT40
    names = {camel(name): value for name, value in (asdict(terms) | asdict(MILESTONE) | asdict(state)).items()}
    names |= {"awarded": state.standing_bps, "standing": state.standing_bps}
    return int(eval(cell.strip("`"), {"__builtins__": {}, "max": max}, names))


def told(terms: Terms, places: set[Place], kind: tuple[bool, bool]) -> set[Step]:
    """The page's steps in agreements of that kind, one for each place where they can be taken."""
    steps = set()
    for _, source, what, who, opens, closes, leads_to, agreements in tables("step | from")[0]:
        if kind not in KINDS[agreements]:
            continue
        target, _, outcome = leads_to.partition(", ")
        formula = re.search(r"share (`.+`)", outcome)
        for place in places:
            if source not in ("any", str(place), place.status.name.lower()):
                continue
            state = place.state()
            share = value_of(formula[1], terms, state) if formula else None
            times = (value_of(opens, terms, state), value_of(closes, terms, state))
            steps.add(Step(str(place), what, who, *times, target, share))
    return steps


def ruled(terms: Terms) -> tuple[set[Place], set[Step]]:
    """Where a milestone of these terms can get, and the steps of keeper.protocol.machine from each of these places."""
    places, steps, ahead = set(), set(), [Place(Status.FUNDED)]
    while ahead:
        place = ahead.pop()
        places.add(place)
        state = place.state()
        for action in Action:
            row = transition(state, action)
            if row is None or not available(terms, action):
                continue
            times = (row.opens(terms, MILESTONE, state), row.closes(terms, MILESTONE, state))
            target = row.target.name.lower()
            steps.add(Step(str(place), action.value, row.who.value, *times, target, _share(action, terms, state)))
            paid_at_once = action is Action.AWARD and terms.challenge_window == 0
            if isinstance(row.target, Status) and not paid_at_once:
                following = Place(row.target, action is Action.REJECT)
                ahead += [following] if following not in places else []
    return places, steps


def _share(action: Action, terms: Terms, state: MilestoneState) -> int | None:
    match action:
        case Action.DISPUTE:
            return standing_after_dispute(terms, state)
        case Action.SETTLE:
            return settle_bps(terms, state)
        case Action.APPROVE:
            return ALL_BPS
        case Action.WAIVE:
            return 0
        case _:
            return None


@pytest.mark.parametrize("verifier", [False, True])
@pytest.mark.parametrize("arbiter", [False, True])
def test_the_page_tells_every_step_that_the_rules_have_and_no_other(verifier: bool, arbiter: bool) -> None:
    terms = terms_of(verifier, arbiter)

    places, steps = ruled(terms)

    on_page = told(terms, places, (verifier, arbiter))
    assert (steps - on_page, on_page - steps) == (set(), set())


def numbered(cells: list[str]) -> list[tuple[int, str]]:
    """Each number that begins a cell, with the word that follows: "3, 4 award" is two."""
    found = [re.match(r"([\d, ]+) (\w+)", cell) for cell in cells]
    return sorted((int(number), match[2]) for match in found if match for number in match[1].split(", "))


def test_both_sides_and_the_picture_tell_the_same_steps() -> None:
    expected = [(1, "fund"), *((int(row[0]), row[2]) for row in tables("step | from")[0])]
    sides = tables("step | what it does to me | what I can do then | if I sleep")
    drawn = re.findall(r'<text class="b"[^>]*>([^<]*)<', PICTURE.read_text())

    assert [number for number, _ in expected] == list(range(1, 19))
    assert len(sides) == 2
    for side in sides:
        assert numbered([row[0] for row in side]) == expected
    assert numbered(drawn) == expected
    assert [int(row[0]) for row in tables("step | |")[0]] == [number for number, _ in expected]


def test_every_test_that_the_page_names_is_where_it_says() -> None:
    named = re.findall(r"\[`(\w+)`\]\((\S+)\)", PAGE.read_text())

    astray = [name for name, file in named if name not in TEST.findall((PAGE.parent / file).read_text())]

    assert len(named) > 40
    assert astray == []


def test_the_longest_lock_is_what_the_limits_add_up_to() -> None:
    assert f"more than {(MAX_AHEAD + 3 * MAX_WINDOW) // DAY:,} days (13 years) and a second" in PAGE.read_text()
