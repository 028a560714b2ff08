"""What the events have told so far, of each agreement and each milestone."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from fuzz_evm import Log

from keeper.protocol.types import AgreementId


def bits_of(bitmap: int) -> list[int]:
    """The numbers of its bits."""
    return [i for i in range(bitmap.bit_length()) if bitmap >> i & 1]


class Notes:
    """Reads every event once; of an amendment both its sides."""

    def __init__(self) -> None:
        self.came: Counter[AgreementId] = Counter()
        """Token units by `Funded`."""
        self.paid: Counter[AgreementId] = Counter()
        """Token units by `Settled`."""
        self.moved: Counter[AgreementId] = Counter()
        """Token units of milestones that ended by `Amended`."""
        self.trail: dict[tuple[AgreementId, int], list[str]] = defaultdict(list)
        """The names of a milestone's events, in order; of its end with the cause."""
        self._announced: Counter[tuple[AgreementId, int]] = Counter()
        self._amounts: dict[AgreementId, list[int]] = {}

    def take(self, events: tuple[Log, ...]) -> None:
        """Read the events of one call."""
        for log in events:
            match log.name:
                case "Funded":
                    self._fund(*log.args)
                case "Settled":
                    self.paid[log.args[0]] += sum(log.args[4:8])
                    self.trail[log.args[0], log.args[1]].append(f"Settled {log.args[2]}")
                case "Amended":
                    source, _, closes, _, _ = log.args
                    for index in bits_of(closes):
                        self.moved[source] += self._amounts[source][index]
                        self.trail[source, index].append("Amended")
                case "Credited" | "Withdrawn" | "Accepted":
                    pass
                case _:
                    self.trail[log.args[0], log.args[1]].append(log.name)

    def announced_once(self, id_: AgreementId) -> bool:
        """Whether no milestone of an agreement was in two `Funded` events."""
        return all(count <= 1 for (which, _), count in self._announced.items() if which == id_)

    def _fund(self, id_: AgreementId, *args: Any) -> None:
        _payer, _payee, _funder, mask, _terms, milestones = args
        self._amounts[id_] = [amount for amount, *_ in milestones]
        for index in bits_of(mask & (1 << len(milestones)) - 1):
            self.came[id_] += milestones[index][0]
            self.trail[id_, index].append("Funded")
            self._announced[id_, index] += 1
