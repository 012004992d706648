"""The scoring model of a project: reading it, and publishing changes as new versions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from leadpulse.domain.errors import Conflict, FieldError, Invalid, NotFound
from leadpulse.domain.facts import DAY
from leadpulse.domain.model import (
    MAX_RULES,
    Rule,
    ScoringModel,
    model_document,
    parse_model,
    parse_rule,
    rule_document,
)
from leadpulse.ids import uuid7
from leadpulse.postgres import publishing
from leadpulse.postgres.publishing import NewVersion, Published, Rescore, Scope
from leadpulse.postgres.session import snapshot, unit
from leadpulse.usecases import audit, paging
from leadpulse.usecases.retention import events_concerned

if TYPE_CHECKING:
    from leadpulse.postgres.connect import Connection
    from leadpulse.postgres.models import ModelCache
    from leadpulse.postgres.session import Pool

Change = Callable[[ScoringModel], ScoringModel]
Document = dict[str, object]

# Rule statistics look at so many leads (those seen last) and ledger entries at most.
STATS_LEADS: Final = 20_000
STATS_ENTRIES: Final = 200_000
# Told apart from the rest of a model; and how many rules the audit log names of one change.
_ASIDE: Final = ("version", "rules")
_NAMED: Final = 100


@dataclass(frozen=True, slots=True)
class CurrentModel:
    """The newest version, and a rescore that is under way."""

    model: ScoringModel
    history: int
    rescore: Rescore | None


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published. `idle_leads`: how many leads a changed decay concerns at once.

    `blanked_events`: of a version for all history, how many events without content are of types
    of which it has rules with conditions; they match such a rule only if they did before.
    """

    model: ScoringModel
    scope: Scope
    idle_leads: int | None = None
    blanked_events: int | None = None


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How often a rule gave points, and how many."""

    id: str
    name: str
    active: bool
    hits: int
    points: float


@dataclass(frozen=True, slots=True)
class Publish:
    """How a change is to be published. `based_on`: the version that it must change."""

    scope: Scope = "from-now"
    note: str | None = None
    based_on: int | None = None
    preview: bool = False


async def current_model(pool: Pool, cache: ModelCache, project_id: str) -> CurrentModel:
    """The model in force."""
    async with snapshot(pool, project_id) as (connection, _):
        newest, history = await publishing.in_force(connection, project_id)
        models = await cache.get(connection, project_id, newest, history, versions_needed=())
        rescore = await publishing.rescore_under_way(connection, project_id)
    return CurrentModel(models.labels.source, history, rescore)


async def list_versions(
    pool: Pool, project_id: str, cursor: str | None, limit: int
) -> tuple[list[Published], str | None]:
    """Published versions, newest first."""
    limit = paging.page_size(limit)
    before = None
    if cursor is not None:
        before = int(str(paging.decode(cursor, "models", (int,))[0]))
        if not 0 < before < 2**31:
            raise paging.bad_cursor()
    async with snapshot(pool, project_id) as (connection, _):
        found = await publishing.versions(connection, project_id, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return shown, paging.encode("models", shown[-1].version) if more else None


async def read_version(pool: Pool, project_id: str, version: int) -> tuple[Published, ScoringModel]:
    """A version as it was published; raises NotFound."""
    async with snapshot(pool, project_id) as (connection, _):
        found = await publishing.stored(connection, project_id, version)
    if found is None:
        raise NotFound("version of the model", str(version))
    published, document = found
    return published, parse_model(document, version)


async def replace_model(
    pool: Pool, cache: ModelCache, project_id: str, document: Document, how: Publish
) -> Publication:
    """Publishes a whole model.

    Raises Invalid naming every field, Conflict if it is based on an older version.
    """
    parse_model(document, 0)
    return await _publish(pool, cache, project_id, lambda _: parse_model(document, 0), how)


async def rescore(
    pool: Pool, cache: ModelCache, project_id: str, note: str | None, *, preview: bool = False
) -> Publication:
    """Publishes the present model for all history; a preview only tells what that concerns."""
    how = Publish("all-history", note, preview=preview)
    return await _publish(pool, cache, project_id, lambda model: model, how)


async def add_rule(
    pool: Pool, cache: ModelCache, project_id: str, document: Document, how: Publish
) -> tuple[Rule, Publication]:
    """Publishes the model with one more rule, which gets an id of its own."""
    rule = parse_rule({**document, "id": uuid7()})

    def change(model: ScoringModel) -> ScoringModel:
        if len(model.rules) >= MAX_RULES:
            raise Conflict(f"A model holds at most {MAX_RULES} rules.", "too_many_rules")
        return replace(model, rules=(*model.rules, rule))

    return rule, await _publish(pool, cache, project_id, change, how)


async def change_rule(
    pool: Pool, cache: ModelCache, rule: tuple[str, str], changes: Document, how: Publish
) -> tuple[Rule, Publication]:
    """Publishes the model with a rule (project, id) changed; fields not given stay."""
    project_id, rule_id = rule
    made: list[Rule] = []

    def change(model: ScoringModel) -> ScoringModel:
        old = _rule(model, rule_id)
        new = parse_rule({**rule_document(old), **changes, "id": rule_id})
        made.append(new)
        return replace(model, rules=tuple(new if r.id == rule_id else r for r in model.rules))

    published = await _publish(pool, cache, project_id, change, how)
    return made[0], published


async def remove_rule(
    pool: Pool, cache: ModelCache, rule: tuple[str, str], how: Publish
) -> Publication:
    """Publishes the model without a rule (project, id)."""
    project_id, rule_id = rule

    def change(model: ScoringModel) -> ScoringModel:
        _rule(model, rule_id)
        return replace(model, rules=tuple(r for r in model.rules if r.id != rule_id))

    return await _publish(pool, cache, project_id, change, how)


def _rule(model: ScoringModel, rule_id: str) -> Rule:
    for rule in model.rules:
        if rule.id == rule_id:
            return rule
    raise NotFound("rule", rule_id)


async def _publish(
    pool: Pool, cache: ModelCache, project_id: str, change: Change, how: Publish
) -> Publication:
    """One change after another: each sees the one before, none is lost."""
    async with unit(pool, project_id) as (connection, now):
        newest, history = await publishing.in_force(connection, project_id, for_change=True)
        if how.based_on is not None and how.based_on != newest:
            raise Conflict(
                f"The model is at version {newest} by now, this change is based on "
                f"{how.based_on}. Read it again.",
                "model_changed",
            )
        models = await cache.get(connection, project_id, newest, history, versions_needed=())
        old = models.labels.source
        new = replace(change(old), version=newest + 1)
        idle = await _idle_leads(connection, project_id, (old, new), now)
        blanked = None
        if how.scope == "all-history":
            blanked = await events_concerned(connection, project_id, new)
        if not how.preview:
            document = json.dumps(model_document(new))
            version = NewVersion(new.version, how.scope, document, how.note)
            await publishing.publish(connection, project_id, version)
            said = {"scope": how.scope, "note": how.note, **_difference(old, new)}
            await audit.record(
                connection, project_id, "model.published", f"model:{new.version}", said
            )
    return Publication(new, how.scope, idle, blanked)


def _difference(old: ScoringModel, new: ScoringModel) -> Document:
    """What a version changed, for the audit log: ids of rules, names of everything else."""
    before = {rule.id: rule for rule in old.rules}
    after = {rule.id: rule for rule in new.rules}
    was, now = model_document(old), model_document(new)
    changes: dict[str, list[str]] = {
        "rulesAdded": [each for each in after if each not in before],
        "rulesChanged": [each for each in after if before.get(each, after[each]) != after[each]],
        "rulesRemoved": [each for each in before if each not in after],
        "settings": [name for name in now if name not in _ASIDE and now[name] != was.get(name)],
    }
    return {name: ids[:_NAMED] for name, ids in changes.items() if ids}


async def _idle_leads(
    connection: Connection, project_id: str, change: tuple[ScoringModel, ScoringModel], now: int
) -> int | None:
    """Leads in whose open gap decay has begun, or would, if decay was changed."""
    old, new = change
    if old.decay == new.decay:
        return None
    after = min(d.after_days for d in (old.decay, new.decay) if d is not None)
    return await publishing.idle_since(connection, project_id, now - math.floor(after * DAY))


async def rule_stats(
    pool: Pool, cache: ModelCache, project_id: str, days: int
) -> tuple[list[RuleUse], bool]:
    """What each rule gave in so many days, and whether every entry was counted."""
    if not 1 <= days <= 366:
        raise Invalid([FieldError("days", "must be between 1 and 366")])
    async with snapshot(pool, project_id) as (connection, now):
        newest, history = await publishing.in_force(connection, project_id)
        models = await cache.get(connection, project_id, newest, history, versions_needed=())
        used, complete = await publishing.rule_use(
            connection, project_id, now - days * DAY, (STATS_LEADS, STATS_ENTRIES)
        )
    gave = {rule: (hits, points) for rule, hits, points in used}
    rules = models.labels.source.rules
    known = [
        RuleUse(rule.id, rule.name, rule.active, *gave.pop(rule.id, (0, 0.0))) for rule in rules
    ]
    gone = [
        RuleUse(rule, rule, active=False, hits=n[0], points=n[1])
        for rule, n in sorted(gave.items())
    ]
    return known + gone, complete
