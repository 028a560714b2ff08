"""Doing it once: intents, signed transactions, nonces, fees, receipts, recovery (docs/keeper.md section 5)."""

from keeper.outbox.fees import FeeLimits
from keeper.outbox.intents import IntentRequest, intent_id
from keeper.outbox.outbox import Outbox, Receipt

__all__ = ["FeeLimits", "IntentRequest", "Outbox", "Receipt", "intent_id"]
