"""The fold alone: ledger entries made, caps, conditions and decay on."""

from __future__ import annotations

import random
import time

from leadpulse.domain.compiled import Models, compile_model
from leadpulse.domain.facts import DAY, SECOND, Fact
from leadpulse.domain.fold import fold
from leadpulse.domain.presets import preset
from leadpulse.domain.state import State

LEADS = 20_000
EVENTS_EACH = 10


def events_per_second(rounds: int = 3) -> float:
    """The best of some rounds over 200,000 events of 20,000 leads."""
    chance = random.Random(1)
    types = ("page_view", "page_view", "email_open", "signup", "download", "click")
    pauses = (60 * SECOND, 60 * SECOND, 600 * SECOND, 3600 * SECOND, DAY, 9 * DAY)
    leads = []
    for lead in range(LEADS):
        t, facts = 1_750_000_000 * SECOND, []
        for number in range(EVENTS_EACH):
            t += chance.choice(pauses)
            kind = chance.choice(types)
            body = {"path": "/pricing"} if kind == "page_view" else None
            facts.append(Fact(t, f"{lead}-{number}", 1, f"{lead}-{number}", kind, 1, body))
        leads.append(facts)
    models = Models({1: compile_model(preset("leadpulse"))}, 1, 1)
    best = 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        for facts in leads:
            fold(State(), facts, models)
        best = max(best, LEADS * EVENTS_EACH / (time.perf_counter() - began))
    return best
