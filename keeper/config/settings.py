"""Settings from a YAML file and the environment, with all mistakes told at once.

The file is `--config`, else $MILEPOST_CONFIG, else ./milepost.yaml. A variable `MILEPOST_<SECTION>__<KEY>` overrides
one key (`MILEPOST_CHAIN__RPC`, `MILEPOST_FEES__MAX_FEE_GWEI`); `MILEPOST__DATABASE` and `MILEPOST__RELAYS` override the
two keys outside any section.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from keeper.config.fields import Listen
from keeper.config.model import (
    AttesterSettings,
    ChainSettings,
    FeeSettings,
    KeeperSettings,
    KeySettings,
    Settings,
    Tree,
)
from keeper.config.problems import Problem, from_pydantic
from keeper.config.yaml_file import YamlFault, load_yaml
from keeper.errors import MilepostError

__all__ = [
    "AttesterSettings",
    "ChainSettings",
    "FeeSettings",
    "KeeperSettings",
    "KeySettings",
    "Listen",
    "Settings",
    "load_settings",
]

_VARIABLE = re.compile(r"MILEPOST(_(?P<section>[A-Z0-9_]+?))?__(?P<key>\w+)")
DEFAULT_FILE = "milepost.yaml"
NEEDS = frozenset({"chain", "key", "relays", "sources"})


def load_settings(
    path: Path | None = None, *, need: Set[str] = frozenset(), environ: Mapping[str, str] | None = None
) -> Settings:
    """Checked settings; SETTINGS_INVALID names every mistake with its key, its reason and its mend.

    `need` says what must be there besides: "chain", "key" (with the files or the variable they name), "relays" (at
    least one), "sources" (at least one of the attester's).
    """
    if not need <= NEEDS:
        raise ValueError(f"unknown needs {need - NEEDS}")
    env = os.environ if environ is None else environ
    file = _find(path, env)
    home = file.parent if file else Path.cwd()
    raw, problems = _overlay(_read(file), env)
    tree: Tree | None = None
    try:
        tree = Tree.model_validate(raw, context={"home": home})
    except ValidationError as error:
        problems += from_pydantic(error, Tree)
    problems += _unmet(raw, tree, need, env)
    if problems or tree is None:
        raise _invalid(file, problems)
    return Settings(
        home=home,
        file=file,
        database=tree.database,
        relays=tree.relays,
        keeper=tree.keeper,
        attester=tree.attester,
        fees=tree.fees,
        key=tree.key,
        optional_chain=tree.chain,
    )


def _find(path: Path | None, env: Mapping[str, str]) -> Path | None:
    named = path or (Path(env["MILEPOST_CONFIG"]) if env.get("MILEPOST_CONFIG") else None)
    if named is None:
        default = Path.cwd() / DEFAULT_FILE
        return default if default.is_file() else None
    return Path.cwd() / named.expanduser()


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        problem = Problem(
            str(file), f"the file cannot be read ({error.strerror})", "name an existing file with --config"
        )
        raise _invalid(None, [problem]) from error
    except (YamlFault, UnicodeDecodeError) as error:
        raise _invalid(file, [Problem(str(file), str(error), "mend the YAML at that place")]) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise _invalid(file, [Problem(str(file), "expected sections with keys", "begin with `chain:`")])
    return content


def _overlay(raw: dict[str, Any], env: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """The file's values with those of the environment over them."""
    merged, problems = dict(raw), []
    for name, match in ((name, m) for name in sorted(env) if (m := _VARIABLE.fullmatch(name))):
        section, key = (match["section"] or "").lower(), match["key"].lower()
        try:
            value = _env_value(env[name])
        except YamlFault:
            problems.append(Problem(name, "malformed list or mapping", 'write it as YAML, for example `["a", "b"]`'))
            continue
        if section:
            inner = merged.get(section)
            merged[section] = {**inner, key: value} if isinstance(inner, dict) else {key: value}
        else:
            merged[key] = value
    return merged, problems


def _env_value(text: str) -> Any:
    """Lists and mappings are YAML; everything else stays text, so that an amount never becomes a float."""
    return load_yaml(text) if text[:1] + text[-1:] in ("[]", "{}") else text


def _unmet(raw: dict[str, Any], tree: Tree | None, need: Set[str], env: Mapping[str, str]) -> list[Problem]:
    problems = []
    if "chain" in need and raw.get("chain") is None:
        problems.append(Problem("chain", "this section is needed", "add `chain:` with `rpc` and `deployment`"))
    if "key" in need and raw.get("key") is None:
        problems.append(Problem("key", "this section is needed", "add `key:` with `keystore` and `password_file`"))
    if "relays" in need and not raw.get("relays"):
        problems.append(Problem("relays", "at least one is needed", 'for example `["http://127.0.0.1:7545"]`'))
    attester = raw.get("attester")
    if "sources" in need and not (isinstance(attester, dict) and attester.get("sources")):
        problems.append(
            Problem("attester.sources", "at least one is needed", 'for example `{ci: "http://127.0.0.1:8081"}`')
        )
    return problems + (_missing_files(tree, need, env) if tree else [])


def _missing_files(tree: Tree, need: Set[str], env: Mapping[str, str]) -> list[Problem]:
    files: list[tuple[str, Path | None]] = []
    problems = []
    if "chain" in need and tree.chain:
        files.append(("chain.deployment", tree.chain.deployment))
    if "key" in need and tree.key:
        files += [("key.keystore", tree.key.keystore), ("key.password_file", tree.key.password_file)]
        if tree.key.env and not env.get(tree.key.env):
            problems.append(Problem("key.env", f"the variable {tree.key.env} is not set", f"set {tree.key.env}"))
    for key, file in files:
        if file and not file.is_file():
            problems.append(Problem(key, f"there is no file {file}", "name an existing file"))
    return problems


def _invalid(file: Path | None, problems: list[Problem]) -> MilepostError:
    where = f" in {file}" if file else ""
    title = f"{len(problems)} setting{'s need' if len(problems) != 1 else ' needs'} mending{where}"
    return MilepostError("SETTINGS_INVALID", title, cause="\n".join(map(str, problems)))
