"""Reading YAML for people: every mistake with its line and key, all of them at once.

Scalars are read as the text that was written, never as what YAML would make of it: an address is not a number, a date
not an object, and a float is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import yaml

from keeper.protocol.units import UnreadableError

T = TypeVar("T")
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the file."""

    line: int
    key: str
    expected: str
    found: str
    do: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: expected {self.expected}; found {self.found}; {self.do}"


class Reader:
    """Walks a YAML tree and collects problems; what cannot be read becomes the caller's default."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._failed: set[str] = set()
        self._lines: dict[str, int] = {}

    def parse(self, text: str) -> yaml.Node | None:
        """The root of the file, or None with a problem noted."""
        try:
            if len(text.encode()) > _MAX_BYTES:
                self.fail(1, "(file)", "at most 1 MiB of YAML", f"{len(text)} characters", "shorten it")
                return None
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
                self.fail(1, "(file)", "plain YAML", "an alias (*name)", "write the value out")
                return None
            root = yaml.compose(text, yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self.fail(line, "(file)", "well-formed YAML", error.problem or "another", "mend the line")
            return None
        except (yaml.YAMLError, RecursionError, UnicodeError) as error:
            self.fail(1, "(file)", "well-formed YAML", str(error).splitlines()[0], "mend the file")
            return None
        if root is None:
            self.fail(1, "(file)", "an agreement", "an empty file", "start from an example")
        return root

    def mapping(
        self, node: yaml.Node | None, path: str, required: str = "", optional: str = ""
    ) -> dict[str, yaml.Node]:
        """The mapping's nodes by key; unknown, repeated and missing keys are noted (space-separated names)."""
        if node is None:
            self._failed.add(path)
            return {}
        self._lines[path] = line = node.start_mark.line + 1
        allowed = [*required.split(), *optional.split()]
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, path, f"keys {', '.join(allowed)}", _kind(node), "indent the keys below it")
            return {}
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else _kind(key_node)
            where = join(path, key)
            if key not in allowed:
                do = "correct the spelling or remove it"
                self.fail(key_node, where, f"one of {', '.join(allowed)}", f"{key!r}", do)
            elif key in found:
                self.fail(key_node, where, "each key once", "it again", "remove one of the two")
            else:
                found[key] = value
                self._lines[where] = value.start_mark.line + 1
        for key in required.split():
            if key not in found:
                self.fail(line, join(path, key), "this key", "nothing", "add it; the examples show how")
        return found

    def sequence(self, fields: Mapping[str, yaml.Node], key: str, path: str = "") -> list[yaml.Node]:
        """The items of a list; a missing or other value is an empty list (a missing key is noted by `mapping`)."""
        node = fields.get(key)
        if node is None or isinstance(node, yaml.SequenceNode):
            return list(node.value) if node is not None else []
        self.fail(node, join(path, key), "a list", _kind(node), "begin each item with a dash")
        return []

    def scalar(self, fields: Mapping[str, yaml.Node], key: str, path: str, read: Callable[[str], T], default: T) -> T:
        """The value of `key` as `read` makes it, or `default` when it is missing or wrong (then noted)."""
        node = fields.get(key)
        return default if node is None else self.value(node, join(path, key), read, default)

    def value(self, node: yaml.Node, path: str, read: Callable[[str], T], default: T) -> T:
        """A node that must be one scalar."""
        self._lines[path] = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
            self.fail(node, path, "one value", _kind(node), "write the value beside the key")
            return default
        if node.tag == "tag:yaml.org,2002:float":
            do = f'quote it: "{node.value}"'
            self.fail(node, path, "an exact value, never a float", f"the float {node.value}", do)
            return default
        try:
            return read(node.value)
        except UnreadableError as error:
            self.fail(node, path, error.expected, repr(node.value), error.do)
            return default

    def fail(self, where: yaml.Node | int, key: str, expected: str, found: str, do: str) -> None:
        """Note a problem at a node or line."""
        line = where if isinstance(where, int) else where.start_mark.line + 1
        self.problems.append(Problem(line, key, expected, found, do))
        self._failed.add(key)

    def line_of(self, path: str) -> int:
        """The line of a key, or of the nearest one around it."""
        while path and path not in self._lines:
            path = path.rpartition(".")[0] if "." in path else ""
        return self._lines.get(path, 1)

    def failed(self, path: str) -> bool:
        """Whether the value at `path`, one inside it or one around it could not be read."""
        return any(_inside(path, other) or _inside(other, path) for other in self._failed)


def join(path: str, key: str) -> str:
    """The path of a key inside another."""
    return f"{path}.{key}" if path else key


def _inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith((outer + ".", outer + "["))


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "keys"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"{node.value!r}" if node.value else "nothing"
