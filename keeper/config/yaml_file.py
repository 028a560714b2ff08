"""YAML without its traps: no duplicate keys, no tags that build objects, faults with their line."""

from __future__ import annotations

from typing import Any

import yaml


class YamlFault(ValueError):  # noqa: N818 - what is at fault is the file
    """The text is no YAML, or repeats a key. The message names line and column."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader; PyYAML wants a class to hang constructors on."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise YamlFault(f"{_place(key_node.start_mark)}: expected a word as key, found {key!r}")
        if key in seen:
            raise YamlFault(f"{_place(key_node.start_mark)}: the key {key!r} appears twice")
        seen[key] = True
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_yaml(text: str) -> Any:
    """The values of a YAML text; YamlFault when it is malformed or repeats a key."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        place = f"{_place(error.problem_mark)}: " if error.problem_mark else ""
        raise YamlFault(place + (error.problem or "malformed YAML")) from error
    except YamlFault:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # PyYAML lets bad dates and deep nesting through
        raise YamlFault(f"malformed YAML: {str(error).splitlines()[0]}") from error


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"
