"""Real purchases: the CDNOW master file that the lifetimes package carries."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import files
from typing import Any, NamedTuple

DAY = dt.timedelta(days=1)


class Purchase(NamedTuple):
    """One line of the file; `id` is made from its number."""

    id: str
    customer: str
    day: dt.date
    quantity: int
    value: float


def purchases() -> list[Purchase]:
    """All 69,659 purchases of 23,570 customers, in the order of the file."""
    (path,) = (f for f in files("lifetimes") or [] if f.name == "CDNOW_master.txt")
    found = []
    # The first line is a header.
    for number, line in enumerate(path.read_text().splitlines()[1:], start=1):
        customer, day, quantity, value = line.split()
        found.append(
            Purchase(
                f"cdnow-{number:05}",
                customer,
                dt.datetime.strptime(day, "%Y%m%d").replace(tzinfo=dt.UTC).date(),
                int(quantity),
                float(value),
            )
        )
    return found


def as_events(bought: list[Purchase], last: dt.date) -> list[dict[str, Any]]:
    """One event per purchase, all dates shifted so that the last purchase falls on `last`."""
    shift = last - max(purchase.day for purchase in bought)
    return [
        {
            "event": "purchase",
            "eventId": purchase.id,
            "userId": f"customer-{purchase.customer}",
            "timestamp": f"{purchase.day + shift}T12:00:00Z",
            "properties": {"quantity": purchase.quantity, "value": purchase.value},
        }
        for purchase in bought
    ]
