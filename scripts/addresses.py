"""Writes interfaces/deployment.json: where this source's contracts stand on every chain, from forge's build output.

    python -m scripts.addresses            rewrite the list
    python -m scripts.addresses --check    fail when it differs, change nothing

The factory's address, the salt and the init code decide the address, so whoever compiles this source can compute it,
and whoever finds code there knows what it is. Run `forge build` first.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from scripts.create2 import FACTORY, SALT, address_of

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "forge"
LIST = ROOT / "interfaces" / "deployment.json"
VERSION = re.compile(r'string private constant VERSION = "(.+)";')


def render() -> str:
    """The list as text; raises `FileNotFoundError` when a contract was not built."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    version = VERSION.search((ROOT / "contracts/libraries/FixedDomain.sol").read_text())
    if version is None:
        sys.exit("contracts/libraries/FixedDomain.sol names no version")
    plain: dict[str, Any] = {}
    with_arguments: dict[str, Any] = {}
    for source in sorted((ROOT / "contracts").glob("*.sol")):
        artifact = json.loads((BUILD / source.name / f"{source.stem}.json").read_text())
        code = bytes.fromhex(artifact["bytecode"]["object"][2:])
        inputs = [value for item in artifact["abi"] if item["type"] == "constructor" for value in item["inputs"]]
        code_hash = "0x" + keccak(code).hex()
        if inputs:
            arguments = [f"{value['type']} {value['name']}".rstrip() for value in inputs]
            with_arguments[source.stem] = {"arguments": arguments, "creation_code_hash": code_hash}
        else:
            plain[source.stem] = {"address": address_of(code), "init_code_hash": code_hash}
    content = {
        "eip712_version": version[1],
        "factory": FACTORY,
        "salt": "0x" + SALT.hex(),
        "compiler": {
            "solc": Path(profile["solc"]).name.removeprefix("solc-v"),
            "evm_version": profile["evm_version"],
            "via_ir": profile["via_ir"],
            "optimizer_runs": profile["optimizer_runs"],
        },
        "contracts": plain,
        "with_arguments": with_arguments,
    }
    return json.dumps(content, indent=2) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the contracts' deterministic addresses.")
    parser.add_argument("--check", action="store_true", help="only say whether the list is current")
    check = parser.parse_args().check
    try:
        text = render()
    except FileNotFoundError as missing:
        print(f"no build output ({missing.filename}): run `forge build` first")
        return 2
    if LIST.exists() and LIST.read_text() == text:
        return 0
    if not check:
        LIST.write_text(text)
    print(f"{'out of date' if check else 'wrote'}: {LIST.relative_to(ROOT)}")
    if check:
        print("run `python -m scripts.addresses` and commit the result: this source stands at other addresses")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main())
