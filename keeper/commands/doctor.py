"""Everything that a run needs, looked at without changing anything: one line a check, all problems at once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from keeper.chain.abi import AbiMismatch, contract
from keeper.chain.account import balance
from keeper.chain.blocks import head
from keeper.chain.deployment import Deployment, open_deployment
from keeper.chain.identity import compare
from keeper.chain.rpc import Rpc, RpcFault
from keeper.chain.signer import exposed_files, load_signer
from keeper.commands.words import number, span, utc
from keeper.config.settings import Settings, load_settings
from keeper.errors import Exit, MilepostError
from keeper.protocol.types import NATIVE_DECIMALS, Address
from keeper.relay.client import RelayClient

ABIS = ("Escrow", "QuorumVerifier", "ERC20")
SKEW_S = 60
"""A head further than this from this machine's clock is worth a word; terms are judged by block timestamps only."""
LOW_DISK = 200 * 1024 * 1024
LOW_GAS = 10**16
"""Wei (0.01 of the native currency) under which an account is called poor."""
RELAY_TIMEOUT_S = 5.0

GOOD, WARN, BAD, SKIPPED = "ok", "warning", "problem", "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One look: what, how it is, and in words what was found or what to do."""

    name: str
    state: str
    words: str
    exit: int = Exit.DONE
    """What a problem here makes the command end with."""


def examine(config: Path | None) -> tuple[Check, ...]:
    """Every check, in the order in which a run needs them. Raises nothing that a check can tell."""
    try:
        settings = load_settings(config)
    except MilepostError as error:
        return (_problem("settings", error),)
    return (Check("settings", GOOD, str(settings.file or "from the environment")), *_all(settings))


def exit_of(checks: tuple[Check, ...]) -> int:
    """2 for settings problems, else 5 for what is unreachable, else the first problem's own code, else 0."""
    codes = [c.exit for c in checks if c.state == BAD]
    for code in (Exit.USAGE, Exit.UNREACHABLE):
        if code in codes:
            return int(code)
    return int(codes[0]) if codes else int(Exit.DONE)


def _all(settings: Settings) -> Iterator[Check]:
    yield _guarded("ABIs", _abis)
    yield from _database(settings)
    signer = _guarded("key", lambda: _key(settings))
    yield signer
    deployment: Deployment | None = None
    try:
        deployment = open_deployment(settings.chain)
        yield Check("deployment", GOOD, f"chain {deployment.chain_id}, escrow {deployment.escrow.address}")
    except MilepostError as error:
        yield _problem("deployment", error)
    if deployment is not None:
        account = signer.words.split("\n")[0] if signer.state in (GOOD, WARN) else None
        yield from _chain(settings, deployment, account)
    yield from _relays(settings)
    yield from _sources(settings)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except MilepostError as error:
        return _problem(name, error)


def _problem(name: str, error: MilepostError) -> Check:
    words = error.title + (f": {error.cause}" if error.cause else "")
    return Check(name, BAD, f"{words}\n{error.hint}", int(error.exit))


def _abis() -> Check:
    try:
        known = [f"{name} {len(contract(name).functions)}" for name in ABIS]
    except (AbiMismatch, OSError, ValueError) as error:
        return Check("ABIs", BAD, f"{error}: install the package anew", Exit.FAILED)
    return Check("ABIs", GOOD, f"functions: {', '.join(known)}")


def _database(settings: Settings) -> Iterator[Check]:
    from keeper.store.engine import open_store

    path = settings.database
    try:
        store = open_store(path)
        with store.begin():
            pass
        store.close()
        yield Check("database", GOOD, f"{path}, writable, at the present schema")
    except MilepostError as error:
        yield _problem("database", error)
    free = shutil.disk_usage(path.parent if path.parent.is_dir() else settings.home).free
    words = f"{free // (1024 * 1024):,} MiB free"
    yield Check("disk", GOOD if free >= LOW_DISK else WARN, words + ("" if free >= LOW_DISK else ": make room"))


def _key(settings: Settings) -> Check:
    if settings.key is None:
        return Check("key", SKIPPED, "the settings name none: only reading, --dry-run and --unsigned work")
    address = load_signer(settings.key).address
    exposed = " ".join(map(str, exposed_files(settings.key)))
    if exposed:
        return Check("key", WARN, f"{address}\nevery user of this machine may read its files: chmod 600 {exposed}")
    return Check("key", GOOD, address)


def _chain(settings: Settings, deployment: Deployment, account: str | None) -> Iterator[Check]:
    """Each endpoint alone: a second one that is wrong must not hide behind the first."""
    reached: list[Rpc] = []
    for url in settings.chain.rpc:
        rpc = Rpc([url], settings.chain.timeout_s)
        name = f"node {rpc.endpoints[0]}"
        try:
            compare(rpc, deployment)
            yield Check(name, GOOD, "chain id, genesis and code hashes are the deployment's")
            reached.append(rpc)
        except (MilepostError, RpcFault) as error:
            yield _problem(name, error) if isinstance(error, MilepostError) else _refused(name, error)
    if not reached:
        yield Check("clock", SKIPPED, "no node to ask")
        return
    yield _guarded("clock", lambda: _clock(reached[0]))
    if account is not None:
        yield _guarded("balance", lambda: _balance(reached[0], account, deployment.native_symbol))
    yield from _members(settings, deployment, account)


def _refused(name: str, fault: RpcFault) -> Check:
    return Check(name, BAD, f"the node refused: {fault}", Exit.UNREACHABLE)


def _clock(rpc: Rpc) -> Check:
    newest = head(rpc)
    skew = int(time.time()) - newest.time
    words = f"block {newest.number:,} of {utc(newest.time)}, "
    if abs(skew) <= SKEW_S:
        return Check("clock", GOOD, words + f"{span(skew)} from this machine's clock")
    side = "behind" if skew > 0 else "ahead of"
    advice = "the node may be syncing, or the chain makes no blocks" if skew > 0 else "one of the two clocks is wrong"
    return Check("clock", WARN, f"{words}{span(skew)} {side} this machine's clock: {advice}")


def _balance(rpc: Rpc, account: str, symbol: str) -> Check:
    wei = balance(rpc, Address(account))
    words = f"{number(wei, NATIVE_DECIMALS)} {symbol} for gas"
    return Check("balance", GOOD if wei >= LOW_GAS else WARN, words + ("" if wei >= LOW_GAS else ": top it up"))


def _members(settings: Settings, deployment: Deployment, account: str | None) -> Iterator[Check]:
    """For attesters: the announced quorums that this key belongs to, as far as the database has followed."""
    from keeper.ledger import views
    from keeper.store.engine import open_store

    if not settings.attester.sources or account is None:
        return
    try:
        store = open_store(settings.database)
        with store.read() as conn:
            mine = [q for _, q in views.quorums(conn) if account in q.members]
        store.close()
    except MilepostError as error:
        yield _problem("quorum", error)
        return
    if mine:
        yield Check("quorum", GOOD, f"{account} is a member of {len(mine)} announced quorum{'s' * (len(mine) > 1)}")
    else:
        yield Check("quorum", WARN, f"{account} is a member of no announced quorum that this database knows yet")


def _relays(settings: Settings) -> Iterator[Check]:
    if not settings.relays:
        yield Check("relays", SKIPPED, "the settings name none: documents and attestations cannot be exchanged")
    for url in settings.relays:
        yield _guarded(f"relay {url}", partial(_relay, url))


def _relay(url: str) -> Check:
    with RelayClient(url, RELAY_TIMEOUT_S) as client:
        client.health()
    return Check(f"relay {url}", GOOD, "answers")


def _sources(settings: Settings) -> Iterator[Check]:
    import httpx

    for name, url in settings.attester.sources.items():
        try:
            # As the attester asks: without proxies of the environment; and without reading what the root holds.
            with httpx.stream("GET", url, timeout=settings.attester.timeout_s, trust_env=False) as response:
                yield Check(f"source {name}", GOOD, f"answers (HTTP {response.status_code} at its root)")
        except httpx.HTTPError as error:
            words = f"{type(error).__name__}: {error}\ncheck attester.sources.{name}"
            yield Check(f"source {name}", BAD, words, Exit.UNREACHABLE)
