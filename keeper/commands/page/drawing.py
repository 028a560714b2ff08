"""Two drawings in SVG, the schedule with its clocks and the clocks alone: readable without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from keeper.commands.page.markup import Child, Markup, element
from keeper.commands.words import in_full, utc
from keeper.protocol.types import DAY, Milestone, Terms

WIDTH, LEFT, RIGHT = 860, 190, 16
ROW, BAR, TOP = 34, 18, 44
LAST_DRAWN = 4_102_444_800
"""The year 2100: what lies beyond is drawn there, so that one absurd date does not flatten all others."""
_INK, _RULE, _DEEP = "#1b1b1f", "#c9ccd6", "#0b4a6f"


@dataclass(frozen=True, slots=True)
class Window:
    """One clock: its name, its length in seconds, and what it is for."""

    name: str
    seconds: int
    purpose: str


def windows(terms: Terms) -> tuple[Window, ...]:
    """The clocks that these terms have, in the order in which they can run."""
    every = (
        Window("review", terms.review_window, "after a submission: a verdict, or the payer's approval"),
        Window("challenge", terms.challenge_window, "after a verdict, or none: either may dispute"),
        Window("ruling", terms.ruling_window, "after a dispute: the arbiter may rule"),
    )
    return tuple(window for window in every if window.seconds)


def schedule(terms: Terms, milestones: Sequence[Milestone], titles: Sequence[str], start: int) -> Markup:
    """Every milestone on one axis of time: until when it may be submitted, then its clocks at their latest."""
    clocks = windows(terms)
    after = sum(window.seconds for window in clocks)
    end = min(max(m.submit_by for m in milestones) + after, LAST_DRAWN)
    axis = _Axis(min(start, end - 1), end)
    height = TOP + ROW * len(milestones) + 12
    rows = [_row(axis, index, milestone, titles[index], clocks) for index, milestone in enumerate(milestones)]
    told = "; ".join(f"{titles[i] or f'milestone {i}'} by {utc(m.submit_by)}" for i, m in enumerate(milestones))
    return _svg(height, f"Schedule: {told}.", _patterns("s"), _ticks(axis, height), rows)


def clocks(terms: Terms) -> Markup:
    """The clocks one after another, as long as they can run, each with what it is for."""
    listed, begin = windows(terms), 0
    axis = _Axis(0, sum(window.seconds for window in listed), left=8)
    height = 12 + 52 * len(listed) + 6
    parts: list[Child] = []
    for index, window in enumerate(listed):
        y = 30 + 52 * index
        left, right = axis.at(begin), axis.at(begin + window.seconds)
        words = f"{window.name}, {in_full(window.seconds)}: {window.purpose}"
        parts += [_text(8, y - 8, words), _bar(left, right, y, f"url(#c-{window.name})")]
        begin += window.seconds
    told = "; then ".join(f"{window.name} {in_full(window.seconds)}" for window in listed)
    return _svg(height, f"Clocks after a submission: {told}.", _patterns("c"), parts)


def legend(terms: Terms) -> str:
    """What the patterns stand for, in words."""
    told = [f"{window.name} ({_PATTERN[window.name]})" for window in windows(terms)]
    return (
        "Plain: the time to submit. A mark: the deadline. Behind it, each at its latest: "
        f"{', '.join(told)}. An early submission moves its clocks to the left."
    )


_PATTERN = {"review": "slanting lines", "challenge": "dots", "ruling": "crossed lines"}


@dataclass(frozen=True, slots=True)
class _Axis:
    start: int
    end: int
    left: int = LEFT

    def at(self, second: int) -> float:
        """Where a second stands, inside the drawing."""
        inside = min(max(second, self.start), self.end)
        return round(self.left + (WIDTH - self.left - RIGHT) * (inside - self.start) / (self.end - self.start), 1)


def _svg(height: int, told: str, *parts: Child) -> Markup:
    return element(
        "svg",
        element("title", told),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {WIDTH} {height}",
        role="img",
        font_family="system-ui, DejaVu Sans, sans-serif",
        font_size=13,
        fill=_INK,
    )


def _patterns(prefix: str) -> Markup:
    """Three fills that differ in black and white; each drawing has its own, since names are the page's."""

    def pattern(name: str, *shapes: Markup) -> Markup:
        ground = element("rect", width=8, height=8, fill="#ffffff")
        return element(
            "pattern", ground, *shapes, id=f"{prefix}-{name}", width=8, height=8, **{"patternUnits": "userSpaceOnUse"}
        )

    slanting = element("path", d="M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4", stroke=_DEEP, stroke_width="1.6")
    other = element("path", d="M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4", stroke=_DEEP, stroke_width="1.6")
    dots = [element("circle", cx=x, cy=y, r="1.3", fill=_DEEP) for x, y in ((2, 2), (6, 6))]
    return element("defs", pattern("review", slanting), pattern("challenge", *dots), pattern("ruling", slanting, other))


def _row(axis: _Axis, index: int, milestone: Milestone, title: str, clocks: Sequence[Window]) -> Iterator[Markup]:
    y = TOP + ROW * index
    name = f"{index}  {title}" if title else f"milestone {index}"
    yield _text(8, y + 14, name if len(name) <= 25 else f"{name[:24]}…")
    begin, due = axis.at(axis.start), axis.at(milestone.submit_by)
    yield _bar(begin, due, y, "#ffffff")
    at = milestone.submit_by
    for window in clocks:
        yield _bar(axis.at(at), axis.at(at + window.seconds), y, f"url(#s-{window.name})")
        at += window.seconds
    yield element("path", d=f"M{due},{y - 5} v{BAR + 10}", stroke=_INK, stroke_width="2.5")


def _bar(left: float, right: float, y: int, fill: str) -> Markup:
    width = max(round(right - left, 1), 0.5)
    return element("rect", x=left, y=y, width=width, height=BAR, fill=fill, stroke=_INK, stroke_width="1")


def _text(x: float, y: float, words: str, **more: str | int) -> Markup:
    return element("text", words, x=x, y=y, **more)


def _ticks(axis: _Axis, height: int) -> Iterator[Markup]:
    """A handful of dates, each at its place."""
    step = max((axis.end - axis.start) // 5, 1)
    for number in range(6):
        second = axis.start + number * step
        x = axis.at(second)
        yield element("path", d=f"M{x},{TOP - 14} V{height - 6}", stroke=_RULE, stroke_width="1")
        anchor = "end" if number == 5 else "middle" if number else "start"
        yield _text(x, TOP - 20, _day(second, axis), text_anchor=anchor, font_size=12)


def _day(second: int, axis: _Axis) -> str:
    form = "%Y-%m-%d" if axis.end - axis.start > 5 * DAY else "%m-%d %H:%M"
    return datetime.fromtimestamp(second, UTC).strftime(form)
