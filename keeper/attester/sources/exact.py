"""Evidence JSON, read without guessing: what two readers could understand differently is refused."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any, NoReturn


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, numbers exact (int, or Decimal where there is a point or an exponent).

    ValueError for what is no UTF-8, no JSON, no object, too deep, holds a key twice, a lone surrogate, or a number
    that JSON does not have.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=Decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeError as error:
        raise ValueError(f"expected UTF-8, found {error}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON, found {error.msg} at byte {error.pos}") from error
    except RecursionError as error:
        raise ValueError("expected JSON that is not nested so deep") from error
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"expected each key once, found {twice[:40]!r} again")
    return found


def _integer(text: str) -> int:
    if len(text) > sys.int_info.default_max_str_digits // 10:
        raise ValueError(f"expected a number of usual length, found one of {len(text)} digits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"expected JSON numbers, found {text}")
