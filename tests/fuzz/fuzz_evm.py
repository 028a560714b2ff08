"""An EVM inside this process (revm, Cancun), with the compiled contracts on it: some ten thousand calls a second."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyrevm
from eth_utils.address import to_checksum_address

from keeper.chain.abi import Contract
from keeper.protocol.types import Address

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "build" / "forge"
FORGE = ROOT / "node_modules" / ".bin" / "forge"
CONTRACTS = ("Escrow", "QuorumVerifier", "PlayDollar")
MOCKS = ("HostileToken", "SigningToken", "MoodyWallet", "Judges/HookArbiter", "Judges/StubVerifier")
CHAIN_ID = 31337
GENESIS = 1_799_020_800
GAS = 60_000_000
NOBODY = "0x" + "00" * 20
_OUTPUT = re.compile(r"output: (0x[0-9a-fA-F]*)")


@dataclass(frozen=True)
class Revert:
    """A refusal: the custom error's name and arguments; no name for an empty revert, hex for an unknown one."""

    name: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Log:
    """One event of one contract, by its ABI's name, arguments in declared order."""

    address: Address
    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Reply:
    """What a call did: return data and logs, or a revert."""

    returned: bytes = b""
    logs: tuple[Log, ...] = ()
    revert: Revert | None = None


@dataclass(frozen=True)
class Code:
    """A compiled contract."""

    codec: Contract
    creation: bytes


@cache
def load(folder: Path, name: str) -> Code:
    """An artifact of forge, by `Contract` or `File/Contract`."""
    file, _, contract = name.rpartition("/")
    artifact = json.loads((folder / f"{file or contract}.sol" / f"{contract}.json").read_text())
    return Code(Contract(contract, artifact["abi"]), bytes.fromhex(artifact["bytecode"]["object"].removeprefix("0x")))


@cache
def build() -> Path:
    """The artifacts' folder, compiled unless newer than every source."""
    outputs = [ARTIFACTS / f"{n}.sol" / f"{n}.json" for n in CONTRACTS]
    outputs += [ARTIFACTS / (f"{n}.sol/{n}.json" if "/" not in n else f"{n.replace('/', '.sol/')}.json") for n in MOCKS]
    mocks = sorted({f"tests/forge/mocks/{n.split('/')[0]}.sol" for n in MOCKS})
    sources = [*ROOT.glob("contracts/**/*.sol"), *ROOT.glob("interfaces/*.sol"), *(ROOT / m for m in mocks)]
    newest = max(path.stat().st_mtime for path in sources)
    if not all(path.exists() and path.stat().st_mtime >= newest for path in outputs):
        wanted = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("contracts/**/*.sol"))
        subprocess.run([str(FORGE), "build", *wanted, *mocks], cwd=ROOT, check=True, capture_output=True)
    return ARTIFACTS


class Chain:
    """A chain of its own with a clock that only the test moves; every call is a transaction of one block."""

    def __init__(self, code_limit: int | None = None) -> None:
        """`code_limit` in bytes, where it is not the chains' own (EIP-170)."""
        config = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=CHAIN_ID, limit_contract_code_size=code_limit))
        self._evm = pyrevm.EVM(env=config, spec_id="CANCUN")
        self._codecs: dict[str, Contract] = {}
        self._block = 0
        self.now = GENESIS
        self.calls = 0
        self.warp(GENESIS)

    def warp(self, now: int) -> None:
        """The next block's timestamp, never less than the last."""
        assert now >= self.now
        self._block += 1
        self.now = now
        self._evm.set_block_env(pyrevm.BlockEnv(number=self._block, timestamp=now))

    def deploy(self, deployer: Address, code: Code, arguments: bytes = b"") -> Address:
        """Create a contract; its address in EIP-55 form."""
        address = Address(to_checksum_address(self._evm.deploy(deployer, code.creation + arguments)))
        self._evm.reset_transient_storage()
        self._codecs[address] = code.codec
        return address

    def give(self, who: Address, wei: int) -> None:
        """Set a native balance."""
        self._evm.set_balance(who, wei)

    def native(self, who: Address) -> int:
        """A native balance."""
        return int(self._evm.get_balance(who))

    def send(self, sender: Address, to: Address, data: bytes, value: int = 0, gas: int = GAS) -> Reply:
        """One transaction, decoded."""
        self.calls += 1
        try:
            returned = self._evm.message_call(sender, to, data, value=value, gas=gas)
        except RuntimeError as error:
            return Reply(revert=self._revert(to, str(error)))
        finally:
            self._evm.reset_transient_storage()
        return Reply(returned, tuple(self._log(log) for log in self._evm.result.logs))

    @property
    def gas_used(self) -> int:
        """By the last transaction that did not revert."""
        return int(self._evm.result.gas_used)

    def view(self, to: Address, data: bytes) -> bytes:
        """The answer of a view, which must not revert."""
        self.calls += 1
        return bytes(self._evm.message_call(NOBODY, to, data, is_static=True))

    def _log(self, log: Any) -> Log:
        address = Address(to_checksum_address(log.address))
        topics, data = log.data
        name, values = self._codecs[address].decode_log(topics, data)
        return Log(address, name, tuple(values.values()))

    def _revert(self, to: Address, text: str) -> Revert:
        found = _OUTPUT.search(text)
        if not text.startswith("Revert") or not found:
            return Revert(text)  # a halt, such as too little gas: never expected
        data = bytes.fromhex(found[1][2:])
        if not data:
            return Revert("")
        for codec in self._codecs.values():
            if decoded := codec.decode_error(data):
                return Revert(decoded[0], tuple(decoded[1].values()))
        return Revert(found[1])
