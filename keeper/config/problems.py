"""What is wrong with the settings, in words: key, reason, mend. Values are never repeated, they may be secret."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_TOO_SHORT = re.compile(r"\w+ should have at least (\d+) items? after validation, not \d+")
_INSTANCE = re.compile(r" or instance of \w+|, unable to parse string as an? \w+")
_PLAIN = (
    ("a tuple", "a list"),
    ("a integer", "a whole number"),
    ("a string", "text"),
    ("a dictionary", "keys with values"),
    ("Field required", "this key is needed"),
    ("Extra inputs are not permitted", "unknown key"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake."""

    key: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason} ({self.mend})"


def from_pydantic(error: ValidationError, tree: type[BaseModel]) -> list[Problem]:
    """One problem per key, with the field's own example as the mend."""
    problems: dict[str, Problem] = {}
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        problem = _problem(fault["loc"], fault["type"], fault["msg"], tree)
        if fault["type"] == "too_short" and any(key.startswith(f"{problem.key}[") for key in problems):
            continue  # nothing is left of the list because its items are wrong, and that is told
        before = problems.get(problem.key)
        problems[problem.key] = problem if before is None else _either(before, problem)
    return list(problems.values())


def _either(first: Problem, second: Problem) -> Problem:
    """A field of several kinds reports one fault for each of them: what is expected is any of these."""
    starts = first.reason.startswith("expected ") and second.reason.startswith("expected ")
    if not starts or second.reason in first.reason:
        return first
    return replace(first, reason=f"{first.reason} or {second.reason.removeprefix('expected ')}")


def _problem(loc: tuple[Any, ...], kind: str, message: str, tree: type[BaseModel]) -> Problem:
    model, info, names, depth = _locate(loc, tree)
    key = ".".join(names)
    if kind == "extra_forbidden":
        return Problem(key, "unknown key", _suggest(names[-1], model))
    reason = "this key is needed" if kind == "missing" else plain_words(message)
    position = next((part for part in loc[depth:] if isinstance(part, int)), None)
    if position is not None:
        key += f"[{position}]"
    if info is None or not info.examples:
        return Problem(key, reason, f"its keys are {', '.join(written_fields(model))}")
    return Problem(key, reason, f"for example `{names[-1]}: {info.examples[0]}`")


def _locate(loc: tuple[Any, ...], tree: type[BaseModel]) -> tuple[type[BaseModel], FieldInfo | None, list[str], int]:
    """The model and field that a location is in, its written name, and how much of the location that is."""
    model, info, names = tree, None, list[str]()
    for depth, part in enumerate(loc):
        names.append(str(part))
        info = written_fields(model).get(str(part))
        inner = model_of(info)
        if inner is None:
            return model, info, names, depth + 1
        model, info = inner, None
    return model, info, names or ["settings"], len(loc)


def model_of(info: FieldInfo | None) -> type[BaseModel] | None:
    """The section behind a field; None when the field is a plain value."""
    if info is None:
        return None
    candidates = (info.annotation, *get_args(info.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def written_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A section's fields by the key that people write."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _suggest(name: str, model: type[BaseModel]) -> str:
    known = written_fields(model)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known keys are {', '.join(known)}"


def plain_words(message: str) -> str:
    """A fault in pydantic's words, in ours: what was expected, without Python's names for it."""
    text = message.removeprefix("Value error, ").replace("Input should be a valid", "expected a")
    text = text.replace("Input should be", "expected").replace("Input should", "expected to")
    text = _TOO_SHORT.sub(r"expected at least \1 item", text)
    text = _INSTANCE.sub("", text)
    for theirs, ours in _PLAIN:
        text = text.replace(theirs, ours)
    return text[:1].lower() + text[1:]
