"""Events that lost their content: what stays of it, so that scores stay what they are.

Of the properties only this stays: which rules with conditions held for them. A rule is known by
its id and by what its conditions say, so a changed condition is another one; rules without
conditions need no content at all.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from leadpulse.domain.matching import holds
from leadpulse.domain.model import type_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadpulse.domain.model import Rule, ScoringModel

_DIGEST_SIZE: Final = 8


def rule_mark(rule: Rule) -> str:
    """What a rule with conditions is known by: its id and a digest of its conditions.

    Their order says nothing, since all of them must hold.
    """
    said = sorted(
        json.dumps([condition.field, condition.op, condition.value], ensure_ascii=True)
        for condition in rule.conditions
    )
    digest = hashlib.blake2b("\n".join(said).encode(), digest_size=_DIGEST_SIZE).hexdigest()
    return f"{rule.id}#{digest}"


def marks_of(model: ScoringModel, event_type: str, properties: Mapping[str, object]) -> list[str]:
    """The rules with conditions that an event with this content meets.

    Whether a rule is active, trusts the caller or is used up makes no difference: the fold
    looks at that, before and after.
    """
    key = type_key(event_type)
    return [
        rule_mark(rule)
        for rule in model.rules
        if rule.conditions
        and type_key(rule.event_type) == key
        and all(holds(condition, properties) for condition in rule.conditions)
    ]


def conditional_types(model: ScoringModel) -> set[str]:
    """The types, as rules compare them, of which some rule looks at the content."""
    return {type_key(rule.event_type) for rule in model.rules if rule.conditions}
