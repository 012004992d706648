"""The three models a project can start from, and the identifiers that they use."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from leadpulse.domain.model import Condition, Decay, NextAction, Rule, ScoringModel

PRESETS: Final = ("leadpulse", "classic", "sales")

_NOT_ACTIVITY: Final = (
    "identify", "group", "alias", "unsubscribe", "*_sent", "*_delivered", "*_bounced",
)  # fmt: skip

_CONTACT_NOW: Final = NextAction(
    "immediate_sales_contact",
    "Call now: ready to buy and active today.",
    stages=("qualified",),
    min_velocity=3,
)
_PRIORITISE: Final = NextAction(
    "prioritize_contact",
    "Put at the top of the list: strong interest, and recent.",
    stages=("hot", "qualified"),
    risks=("low",),
)
_ACTIONS: Final = (
    NextAction(
        "schedule_demo",
        "Offer a demo while the interest is fresh.",
        stages=("hot",),
        risks=("low",),
    ),
    NextAction(
        "nurture_campaign",
        "Keep warm with useful material.",
        stages=("warm",),
        risks=("low", "medium"),
    ),
    NextAction(
        "re_engagement_required",
        "Gone quiet: give a reason to come back.",
        risks=("high",),
    ),
    NextAction("sales_contact", "Get in touch: ready to buy.", stages=("qualified",)),
    NextAction("follow_up", "Follow up on the interest shown.", stages=("hot",)),
)


def _rules(points: dict[str, float], trusted: frozenset[str] = frozenset()) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            id=event_type,
            event_type=event_type,
            name=event_type.replace("_", " ").capitalize(),
            points=value,
            trust="server" if event_type in trusted else "any",
        )
        for event_type, value in points.items()
    )


def _base(rules: tuple[Rule, ...]) -> ScoringModel:
    return ScoringModel(
        version=1,
        stages=(0, 11, 31, 60),
        min_score=0,
        max_score=10_000,
        decay=Decay(factor=0.95, after_days=7, every_days=1),
        velocity_factor=1,
        medium_days=7,
        high_days=14,
        next_actions=(_CONTACT_NOW, *_ACTIONS),
        not_activity=_NOT_ACTIVITY,
        rules=rules,
    )


def _leadpulse() -> ScoringModel:
    rules = _rules(
        {
            "page_view": 5,
            "email_open": 10,
            "download": 15,
            "pricing_page_visit": 15,
            "form_submit": 20,
            "webinar_attendance": 25,
            "signup": 30,
            "demo_request": 50,
            "contract_signed": 100,
            "unsubscribe": -20,
        },
        trusted=frozenset({"contract_signed", "unsubscribe"}),
    )
    caps = {"page_view": 15.0, "email_open": 20.0}
    capped = tuple(replace(rule, max_points_per_day=caps.get(rule.id)) for rule in rules)
    pricing = Rule(
        id="pricing_page_view",
        event_type="page_view",
        name="Pricing page viewed",
        description="Looking at prices says more than looking around.",
        points=10,
        conditions=(Condition("$path", "contains", "pricing"),),
        max_points_per_day=10,
    )
    return replace(_base((*capped, pricing)), velocity_factor=3)


def _classic() -> ScoringModel:
    rules = _rules(
        {"page_view": 1, "email_open": 3, "download": 10, "signup": 20, "demo_request": 30}
    )
    return replace(
        _base(rules),
        decay=Decay(factor=0.8, after_days=7, every_days=7),
        medium_days=3,
        high_days=7,
        next_actions=(_PRIORITISE, *_ACTIONS),
    )


def _sales() -> ScoringModel:
    rules = _rules(
        {"page_view": 5, "download": 10, "signup": 20, "demo_request": 50, "contract_signed": 100},
        trusted=frozenset({"contract_signed"}),
    )
    return replace(_base(rules), stages=(0, 30, 60, 100))


def preset(name: str) -> ScoringModel:
    """The model that a new project of this preset starts with, as version 1.

    Rule ids are the preset's own names; a project's copy gets ids of its own when it is made.
    Raises KeyError for an unknown name.
    """
    return {"leadpulse": _leadpulse, "classic": _classic, "sales": _sales}[name]()
