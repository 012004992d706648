"""Whose turn it is: a flood of one project or one lead costs others a bounded delay."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from leadpulse.postgres.scoring import FIRST_ID, Portion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadpulse.postgres.scoring import Candidate

# Less than this for a project is not worth the look-up.
_LEAST: Final = 16


class Rotation:
    """A scorer's memory of where it was: round and round over projects, and over their leads.

    A project that had more rows than its share is deep; deep ones divide what the others
    leave. Lost when the scorer ends, which costs nothing but the place.
    """

    PROJECTS: ClassVar[int] = 64

    def __init__(self) -> None:
        self.after = FIRST_ID
        self._leads: dict[str, str] = {}
        self._deep: set[str] = set()

    def portions(self, waiting: Sequence[str], rows: int) -> list[Portion]:
        """Divide about `rows` among projects that have rows waiting."""
        if not waiting:
            self.after = FIRST_ID
            return []
        fair = max(_LEAST, rows // len(waiting))
        deep = [project_id for project_id in waiting if project_id in self._deep]
        # The shallow ones rarely use their share, so the deep ones get half of it as well.
        more = max(fair, rows // 2 // max(1, len(deep)))
        return [
            Portion(p, self._leads.get(p, FIRST_ID), more if p in self._deep else fair)
            for p in waiting
        ]

    def saw(self, portions: Sequence[Portion], picked: Sequence[Candidate]) -> None:
        """Learn from what was found; whoever had less than asked for begins anew."""
        last: dict[str, str] = {}
        rows: dict[str, int] = {}
        for candidate in picked:
            # They come in the order of their leads.
            last[candidate.project_id] = candidate.lead_id
            rows[candidate.project_id] = rows.get(candidate.project_id, 0) + candidate.rows
        for portion in portions:
            if rows.get(portion.project_id, 0) >= portion.rows:
                self._deep.add(portion.project_id)
                self._leads[portion.project_id] = last[portion.project_id]
            elif portion.after == FIRST_ID:
                self._deep.discard(portion.project_id)
                self._leads.pop(portion.project_id, None)
            else:
                self._leads.pop(portion.project_id, None)
        full = len(portions) == self.PROJECTS
        self.after = portions[-1].project_id if full else FIRST_ID
