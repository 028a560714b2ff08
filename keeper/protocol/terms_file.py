"""A person's terms file -> a checked agreement, its documents and its names.

Everything wrong is told at once, each with line, key, what was expected, what was found and what to do. Amounts are in
the token's decimals, times in UTC; the rules are those of funding (docs/protocol.md section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import yaml

from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.protocol.quorum import Quorum, quorum_faults
from keeper.protocol.terms_parts import (
    MakeEnvelope,
    any_document,
    criteria_document,
    note_faults,
    read_document,
)
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Address, Agreement, Milestone, Terms
from keeper.protocol.units import (
    UnreadableError,
    read_address,
    read_amount,
    read_bytes32,
    read_count,
    read_deadline,
    read_duration,
    read_flag,
    read_line,
    read_share,
    read_time,
)
from keeper.protocol.yaml_reader import Problem, Reader, join

VERSION = "milepost/terms/1"


@dataclass(frozen=True, slots=True)
class Book:
    """What the file's labels stand for on one chain."""

    chain_id: int
    escrow: Address
    tokens: Mapping[str, tuple[Address, int, str]]
    """Address, decimals and symbol by label; the zero address is the native currency."""
    contracts: Mapping[str, Address]


@dataclass(frozen=True, slots=True)
class TermsFile:
    """What a terms file says, checked."""

    agreement: Agreement
    documents: dict[bytes, Envelope]
    """Every document by its hash: the legal text and the criteria."""
    quorum: Quorum | None
    labels: dict[Address, str]
    """Names that the file and the book give to addresses."""
    decimals: int
    symbol: str
    title: str = ""
    titles: tuple[str, ...] = ()
    """One title a milestone, in order."""


class TermsFileError(MilepostError):
    """TERMS_INVALID with every problem of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        count = f"{len(problems)} mistake" + ("s" if len(problems) > 1 else "")
        cause = "\n".join(map(str, self.problems))
        super().__init__("TERMS_INVALID", f"The terms file has {count}", cause=cause)


def load_terms(text: str, book: Book, *, read_file: Callable[[str], bytes], now: int | None = None) -> TermsFile:
    """The agreement that a terms file describes.

    `read_file` gives the bytes of a file that the terms name; `now` (unix seconds) also checks the deadlines.
    Raises TERMS_INVALID (`TermsFileError`) with all mistakes at once.
    """
    loader = _Loader(Reader(), book, read_file)
    result = loader.load(text, now)
    if loader.reader.problems:
        raise TermsFileError(loader.reader.problems)
    return result


@dataclass(slots=True)
class _Loader:
    """The reading of one file; what cannot be read gets a stand-in, and the problem is noted."""

    reader: Reader
    book: Book
    read_file: Callable[[str], bytes]
    documents: dict[bytes, Envelope] = field(default_factory=dict)
    labels: dict[Address, str] = field(default_factory=dict)

    def load(self, text: str, now: int | None) -> TermsFile:
        r = self.reader
        root = r.parse(text)
        top = r.mapping(
            root,
            "",
            "version title parties token clocks shares document salt start milestones",
            "verifier quorum arbiterHook fee tip",
        )
        r.scalar(top, "version", "", _version, None)
        self.labels.update({address: label for label, address in self.book.contracts.items()})
        token, decimals, symbol = r.scalar(top, "token", "", self._token, (ZERO_ADDRESS, 18, ""))
        quorum = self._quorum(top)
        milestones, titles = self._milestones(top, decimals)
        terms = self._terms(top, token, decimals, quorum)
        if root is not None:
            note_faults(r, terms, milestones, self.book.escrow, now)
        title = r.scalar(top, "title", "", read_line, "")
        return TermsFile(
            Agreement(terms, milestones), self.documents, quorum, self.labels, decimals, symbol, title, titles
        )

    def _terms(self, top: dict[str, yaml.Node], token: Address, decimals: int, quorum: Quorum | None) -> Terms:
        r = self.reader
        parties = r.mapping(top.get("parties"), "parties", "payer payee", "arbiter")
        clocks = r.mapping(top.get("clocks"), "clocks", "reviewWindow challengeWindow rulingWindow")
        shares = r.mapping(top.get("shares"), "shares", "unreviewed unruled")
        fee = r.mapping(top["fee"], "fee", "share to") if "fee" in top else {}
        return Terms(
            payer=self._party(parties, "payer", "parties"),
            payee=self._party(parties, "payee", "parties"),
            token=token,
            verifier=r.scalar(top, "verifier", "", self._contract, ZERO_ADDRESS),
            quorum=quorum.hash if quorum else ZERO32,
            arbiter=self._party(parties, "arbiter", "parties"),
            arbiter_hook=r.scalar(top, "arbiterHook", "", read_flag, False),
            review_window=r.scalar(clocks, "reviewWindow", "clocks", read_duration, 1),
            challenge_window=r.scalar(clocks, "challengeWindow", "clocks", read_duration, 0),
            ruling_window=r.scalar(clocks, "rulingWindow", "clocks", read_duration, 0),
            unreviewed_bps=r.scalar(shares, "unreviewed", "shares", read_share, 0),
            unruled_bps=r.scalar(shares, "unruled", "shares", read_share, 0),
            fee_bps=r.scalar(fee, "share", "fee", read_share, 0),
            fee_to=self._party(fee, "to", "fee"),
            tip=r.scalar(top, "tip", "", partial(read_amount, decimals=decimals, bits=96), 0),
            document=self._document(top, "document", "", any_document),
            salt=r.scalar(top, "salt", "", read_bytes32, ZERO32),
        )

    def _milestones(self, top: dict[str, yaml.Node], decimals: int) -> tuple[tuple[Milestone, ...], tuple[str, ...]]:
        r = self.reader
        start = r.scalar(top, "start", "", partial(read_time, end_of_day=False), 0)
        read_units = partial(read_amount, decimals=decimals, bits=128)
        milestones, titles = [], []
        for index, node in enumerate(r.sequence(top, "milestones")):
            path = f"milestones[{index}]"
            fields = r.mapping(node, path, "title amount submitBy criteria")
            titles.append(r.scalar(fields, "title", path, read_line, ""))
            amount = r.scalar(fields, "amount", path, read_units, 1)
            submit_by = r.scalar(fields, "submitBy", path, partial(read_deadline, start=start), 0)
            criteria = self._document(fields, "criteria", path, criteria_document)
            milestones.append(Milestone(amount, submit_by, criteria))
        return tuple(milestones), tuple(titles)

    def _quorum(self, top: dict[str, yaml.Node]) -> Quorum | None:
        if "quorum" not in top:
            return None
        r = self.reader
        fields = r.mapping(top["quorum"], "quorum", "threshold members")
        m = r.scalar(fields, "threshold", "quorum", read_count, 0)
        nodes = r.sequence(fields, "members", "quorum")
        members = [self._named(node, f"quorum.members[{i}]") for i, node in enumerate(nodes)]
        quorum = Quorum(m, tuple(sorted(members, key=lambda a: int(a, 16))))
        if r.failed("quorum"):
            return None
        faults = list(quorum_faults(m, quorum.members))
        for fault in faults:
            expected, _, found = fault.removeprefix("expected ").partition(", found ")
            r.fail(top["quorum"], "quorum", expected, found or "one twice", "choose members and threshold anew")
        return None if faults else quorum

    def _party(self, fields: Mapping[str, yaml.Node], key: str, path: str) -> Address:
        return self._named(fields[key], join(path, key)) if key in fields else ZERO_ADDRESS

    def _named(self, node: yaml.Node, path: str) -> Address:
        """An address, or a mapping of name and address."""
        r = self.reader
        if not isinstance(node, yaml.MappingNode):
            return r.value(node, path, read_address, ZERO_ADDRESS)
        fields = r.mapping(node, path, "address", "name")
        address = r.scalar(fields, "address", path, read_address, ZERO_ADDRESS)
        name = r.scalar(fields, "name", path, read_line, "")
        if name and address != ZERO_ADDRESS:
            self.labels[address] = name
        return address

    def _token(self, label: str) -> tuple[Address, int, str]:
        if label not in self.book.tokens:
            raise UnreadableError(
                f"a token of this chain: {', '.join(sorted(self.book.tokens))}", "use one of the labels"
            )
        token = self.book.tokens[label]
        if token[0] != ZERO_ADDRESS:  # which stands for nobody wherever it is no token
            self.labels[token[0]] = token[2]
        return token

    def _contract(self, label: str) -> Address:
        if label in self.book.contracts:
            return self.book.contracts[label]
        if label.startswith("0x"):
            return read_address(label)
        known = ", ".join(sorted(self.book.contracts))
        raise UnreadableError(f"a contract of this chain ({known}) or an address", "use one of the labels")

    def _document(self, fields: Mapping[str, yaml.Node], key: str, path: str, make: MakeEnvelope) -> bytes:
        """Read, check and keep a document; its hash, or a stand-in."""
        envelope = None
        if key in fields:
            envelope = read_document(self.reader, fields[key], join(path, key), self.read_file, make)
        if envelope is None:
            return ZERO32
        self.documents[envelope.hash] = envelope
        return envelope.hash


def _version(text: str) -> None:
    if text != VERSION:
        raise UnreadableError(VERSION, "this program reads that version only")
