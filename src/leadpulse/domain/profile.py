"""What is known about a person: for each field the value of the latest fact that set it.

A lead's facts are a map field → [value, at µs, eventId, confirmed 0|1] that goes to storage as
it stands. Of two facts the confirmed one wins, then the later (timestamp, eventId); `union` is
commutative, associative and idempotent, so neither the order of facts nor how they are split
over batches or merged leads changes a profile. A null is a fact too: it removes.

Bounds, each free of order: a value of more than VALUE_BYTES of JSON or a name of more than
NAME_CHARACTERS is no profile value (it stays with its event); besides the known fields the
TRAITS_KEPT names with the greatest facts are kept, and VALUES_KEPT emails and userIds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from leadpulse.domain.identity import ANONYMOUS_ID, EMAIL, USER_ID

VALUE_BYTES: Final = 1_024
NAME_CHARACTERS: Final = 128
TRAITS_KEPT: Final = 100
VALUES_KEPT: Final = 8

OWNER: Final = "$owner"
STATUS: Final = "$status"
STATUSES: Final = ("open", "working", "won", "lost", "disqualified")

# Kept whatever else is said; the first two have a column of their own.
_ALWAYS: Final = frozenset({
    "name", "company", "firstName", "lastName", "first_name", "last_name", OWNER, STATUS,
})  # fmt: skip
# Fields of which a lead has many: the shown one is chosen among its identifiers.
_MANY: Final = {"email": EMAIL, "userId": USER_ID}

# [value, at, eventId, confirmed]; of _MANY fields a list of such.
Fact = list[Any]
Facts = dict[str, Any]


class Held(NamedTuple):
    """An identifier of the lead or of one that merged into it; `own`: of the survivor itself."""

    kind: int
    value: str
    confirmed: bool
    own: bool


class View(NamedTuple):
    """The profile that is shown; `claimed` names the shown fields that rest on a claim alone."""

    email: str | None
    user_id: str | None
    name: str | None
    company: str | None
    traits: dict[str, Any]
    claimed: list[str]
    anonymous_id: str | None
    owner: str | None
    status: str


class Source(NamedTuple):
    """The event that said something: its place, and whether that is confirmed."""

    at: int
    event_id: str
    confirmed: bool


# ── Facts ────────────────────────────────────────────────────────────────────────────


def _rank(fact: Fact) -> tuple[int, int, str]:
    return (fact[3], fact[1], fact[2])


def fits(value: object) -> bool:
    """True if a value is small enough for a profile."""
    if value is None or isinstance(value, bool | float):
        return True
    if isinstance(value, str) and len(value) * 6 + 2 <= VALUE_BYTES:
        return True
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text) <= VALUE_BYTES and len(text.encode("utf-8", "replace")) <= VALUE_BYTES


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _meant(field: str, value: object) -> bool:
    """True if a field can have this value at all; a name that is a number says nothing."""
    if value is None:
        return field not in _MANY
    if field == "name" or field in _MANY:
        return isinstance(value, str)
    if field == "company":
        return isinstance(value, str) or (
            isinstance(value, Mapping) and _text(value.get("name")) is not None
        )
    return True


def stated(traits: Mapping[str, Any], source: Source, *, inside: bool = False) -> Facts:
    """The facts that one event states.

    Names that begin with `$` are ours: only changes from `inside` may set them.
    """
    facts: Facts = {}
    for field, value in traits.items():
        if len(field) > NAME_CHARACTERS or (field.startswith("$") and not inside):
            continue
        if not _meant(field, value) or not fits(value):
            continue
        fact = [value, source.at, source.event_id, int(source.confirmed)]
        facts[field] = [fact] if field in _MANY else fact
    return _bounded(facts)


def _bounded(facts: Facts) -> Facts:
    if len(facts) <= TRAITS_KEPT:
        return facts
    free = [field for field in facts if field not in _ALWAYS and field not in _MANY]
    if len(free) <= TRAITS_KEPT:
        return facts
    free.sort(key=lambda field: (_rank(facts[field]), field))
    for field in free[:-TRAITS_KEPT]:
        del facts[field]
    return facts


def _latest(one: list[Fact], other: list[Fact]) -> list[Fact]:
    """The greatest fact of each value, the greatest VALUES_KEPT values."""
    best: dict[str, Fact] = {}
    for fact in (*one, *other):
        known = best.get(fact[0])
        if known is None or _rank(known) < _rank(fact):
            best[fact[0]] = fact
    return sorted(best.values(), key=lambda f: (_rank(f), f[0]), reverse=True)[:VALUES_KEPT]


def union(parts: Iterable[Facts]) -> Facts:
    """All that several maps say, as one; the parts stay as they are."""
    whole: Facts = {}
    for facts in parts:
        for field, fact in facts.items():
            known = whole.get(field)
            if known is None:
                whole[field] = fact
            elif field in _MANY:
                whole[field] = _latest(known, fact)
            elif _rank(known) < _rank(fact):
                whole[field] = fact
    return _bounded(whole)


# ── The view ─────────────────────────────────────────────────────────────────────────


def _shown_identifier(facts: Facts, field: str, held: Sequence[Held]) -> Held | None:
    """The confirmed one, then the one that was set last, then the survivor's own."""
    kind = _MANY[field]
    said = {fact[0]: _rank(fact) for fact in facts.get(field, ())}
    return max(
        (one for one in held if one.kind == kind),
        key=lambda one: (one.confirmed, said.get(one.value, (-1, 0, "")), one.own, one.value),
        default=None,
    )


def _value(facts: Facts, field: str) -> Any:
    fact = facts.get(field)
    return None if fact is None else fact[0]


def _name(facts: Facts) -> tuple[str | None, tuple[str, ...]]:
    """The name, else first and last name together; and the fields that it comes from."""
    whole = _text(_value(facts, "name"))
    if whole is not None:
        return whole, ("name",)
    parts = {
        field: text
        for fields in (("firstName", "first_name"), ("lastName", "last_name"))
        for field in fields
        if (text := _text(_value(facts, field))) is not None
    }
    first = next((f for f in ("firstName", "first_name") if f in parts), None)
    last = next((f for f in ("lastName", "last_name") if f in parts), None)
    used = tuple(field for field in (first, last) if field is not None)
    return " ".join(parts[field] for field in used) or None, used


def view(facts: Facts, held: Sequence[Held]) -> View:
    """What is shown of a lead, from the union of its tree's facts and identifiers."""
    if not facts and len(held) == 1 and held[0].kind == ANONYMOUS_ID:
        # Every new visitor: worth a way of its own.
        return View(None, None, None, None, {}, [], held[0].value, None, "open")
    email = _shown_identifier(facts, "email", held)
    user = _shown_identifier(facts, "userId", held)
    anonymous = [one for one in held if one.kind == ANONYMOUS_ID]
    name, sources = _name(facts)
    company = _value(facts, "company")
    firm = _text(company.get("name") if isinstance(company, Mapping) else company)
    traits = {
        field: fact[0]
        for field, fact in sorted(facts.items())
        if fact[0] is not None
        and field not in _MANY
        and not field.startswith("$")
        and field != "name"
        and not (field == "company" and isinstance(company, str))
    }
    claimed = [
        field
        for field, one in (("email", email), ("userId", user))
        if one is not None and not one.confirmed
    ]
    if name is not None and not all(facts[field][3] for field in sources):
        claimed.append("name")
    if firm is not None and not facts["company"][3]:
        claimed.append("company")
    claimed += [f"traits.{field}" for field in traits if not facts[field][3]]
    return View(
        email=email.value if email else None,
        user_id=user.value if user else None,
        name=name,
        company=firm,
        traits=traits,
        claimed=claimed,
        anonymous_id=max(anonymous, key=lambda one: (one.own, one.value)).value
        if anonymous
        else None,
        owner=_value(facts, OWNER),
        status=_value(facts, STATUS) or "open",
    )
