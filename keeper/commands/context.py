"""What a command works with: settings, chain, database and key, each opened on first use and closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from eth_utils.address import is_address, to_checksum_address

from keeper.chain.blocks import Header, head
from keeper.chain.deployment import Deployment, open_deployment
from keeper.chain.escrow import Escrow
from keeper.chain.identity import check_identity
from keeper.chain.rpc import Rpc
from keeper.chain.signer import Signer, load_signer
from keeper.chain.token import Token
from keeper.commands.words import Currency
from keeper.config.settings import Settings, load_settings
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.follow import Follower
from keeper.protocol.encoding import escrow_domain
from keeper.protocol.types import NATIVE_DECIMALS, ZERO_ADDRESS, Address, Domain
from keeper.store.engine import Store, open_store
from keeper.store.lock import process_lock

Progress = Callable[[str], None]


class Session:
    """One command's tools. Everything is checked as it is opened: chain id, genesis and code before the first call."""

    def __init__(self, settings: Settings, acting_as: Address | None = None) -> None:
        self.settings = settings
        self.acting_as = acting_as
        self._opened: list[Callable[[], None]] = []

    @cached_property
    def deployment(self) -> Deployment:
        """The deployment that the settings name."""
        return open_deployment(self.settings.chain)

    @cached_property
    def rpc(self) -> Rpc:
        """The node, guarded: WRONG_CHAIN or WRONG_CONTRACT before it is used for anything."""
        rpc = Rpc(self.settings.chain.rpc, self.settings.chain.timeout_s)
        self._opened.append(rpc.close)
        check_identity(rpc, self.deployment)
        return rpc

    @cached_property
    def escrow(self) -> Escrow:
        """The deployment's escrow."""
        return Escrow(self.rpc, self.deployment.escrow.address)

    @cached_property
    def store(self) -> Store:
        """The party's own database, migrated to the present schema."""
        store = open_store(self.settings.database)
        self._opened.append(store.close)
        return store

    @cached_property
    def signer(self) -> Signer:
        """The key of the settings; SETTINGS_INVALID when they name none, KEY_INVALID when it is no key."""
        if self.settings.key is None:
            raise MilepostError(
                "SETTINGS_INVALID",
                "This command signs, and the settings name no key",
                cause="expected `key` with a keystore and its password file, or with the name of a variable",
                hint="name a key, or use --dry-run or --unsigned with --as ADDRESS",
            )
        return load_signer(self.settings.key)

    @cached_property
    def sender(self) -> Address:
        """The account that acts: `--as`, else the key's."""
        return self.acting_as or self.signer.address

    @cached_property
    def viewer(self) -> Address | None:
        """Whose side words take: the account that acts, if any is named and its key can be opened."""
        if self.acting_as is None and self.settings.key is None:
            return None
        try:
            return self.sender
        except MilepostError as error:
            if error.code != "KEY_INVALID":
                raise
            return None  # reading needs no key; whatever signs raises this again

    @cached_property
    def domain(self) -> Domain:
        """The escrow's EIP-712 domain."""
        return escrow_domain(self.deployment.chain_id, self.deployment.escrow.address)

    def head(self) -> Header:
        """The newest block now."""
        return head(self.rpc)

    def currency(self, token: Address) -> Currency:
        """A token's ticker and decimals: the deployment's words where it lists the token, else the token's own."""
        if token == ZERO_ADDRESS:
            return Currency(self.deployment.native_symbol, NATIVE_DECIMALS, token)
        for known in self.deployment.tokens.values():
            if known.address == token:
                return Currency(known.symbol, known.decimals, token)
        contract = Token(self.rpc, token)
        symbol = "".join(c for c in contract.symbol()[:11] if c.isprintable() and c != "[")
        return Currency(symbol or "tokens", contract.decimals(), token)

    def catch_up(self, progress: Progress) -> views.Place:
        """Follow the chain to its head in the party's own database. The caller holds the database's lock."""
        follower = Follower(self.rpc, self.store, self.deployment, self.settings.chain.finality)
        while True:
            step = follower.step()
            progress(f"reading the chain: block {step.head.number:,}, {max(step.behind, 0):,} to go")
            if step.held:
                raise MilepostError("RPC_INCONSISTENT", "The node's answers do not fit together", cause=step.held)
            if step.caught_up:
                break
        with self.store.read() as conn:
            found = views.place(conn)
        assert found is not None, "a step leaves a place"
        return found

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the database alone, as everything that follows or sends must; ALREADY_RUNNING otherwise."""
        with process_lock(self.settings.database):
            yield

    def look(self, progress: Progress) -> views.Place:
        """As `catch_up`; where another process of this database follows the chain, its picture as it stands."""
        try:
            with self.exclusive():
                return self.catch_up(progress)
        except MilepostError as error:
            if error.code != "ALREADY_RUNNING":
                raise
            with self.store.read() as conn:
                found = views.place(conn)
            if found is None:
                raise
            return found

    def close(self) -> None:
        """Close what was opened."""
        for close in reversed(self._opened):
            close()


@contextmanager
def open_session(config: Path | None, need: set[str], acting_as: str | None = None) -> Iterator[Session]:
    """A session with the settings checked for the sections in `need`; USAGE when `acting_as` is no address."""
    sender = None if acting_as is None else parse_address(acting_as, "--as")
    session = Session(load_settings(config, need=need), sender)
    try:
        yield session
    finally:
        session.close()


def parse_address(text: str, where: str) -> Address:
    """An address as people type it; USAGE when it is none, zero, or its checksum is wrong."""
    mixed = text[2:] not in (text[2:].lower(), text[2:].upper())
    if not is_address(text) or not text.startswith("0x") or (mixed and to_checksum_address(text) != text):
        raise MilepostError(
            "USAGE", f"{where}: {text!r} is no address", cause="expected 0x and 40 hex digits, with a right checksum"
        )
    address = Address(to_checksum_address(text))
    if address == ZERO_ADDRESS:
        raise MilepostError("USAGE", f"{where}: the zero address is nobody's", cause="expected an account")
    return address
