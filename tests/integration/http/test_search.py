"""A search among so many leads that the index of words has to help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from leadpulse.postgres.session import fetch_all

if TYPE_CHECKING:
    from support.api import Api

# More than are looked at one after the other.
_FILL: Final = """
with made as (
    insert into leads (project_id, id, score, as_of, epoch, created_at, updated_at)
    select %(p)s, gen_random_uuid(), n, now(), 1, now(), now()
    from generate_series(1, 4000) n returning project_id, id
), n as (
    select *, row_number() over () as n from made
)
insert into lead_profiles (project_id, lead_id, name, email, anonymous_id, updated_at)
select project_id, id, (%(names)s::text[])[n], md5(n::text) || '@x.example', 'b' || n, now() from n
"""
_NAMES: Final = [
    "Anna Bell", "Joan Clarke", "bell-anders", "Bell (Ann)", "o'Andrew", "Öz Aydın", "öz", "Mozart",
    "x.ant", "x_ant", "x/ant", "x+ant", "Aa", "aab baa", "A1 sauce", "7an", "李 an", "an", "Ban An",
    "Dan\u00adan", "a", "A. N. Other", "%an", "ann,an",
]  # fmt: skip


_WORDS: Final = ["an", "AN", "öz", "a1", "aa", "be", "7a", "a.", "x_", "(a", "%a", "a", "zz", "李"]


async def test_short_words_find_the_beginnings_of_words(api: Api) -> None:
    """All of them, whatever stands before, and nothing in the middle of a word."""
    await api.conn.execute(_FILL, {"p": api.project.id, "names": _NAMES})
    await api.conn.execute("vacuum analyze leads")
    await api.conn.execute("vacuum analyze lead_profiles")
    stored = await fetch_all(
        api.conn,
        "select lead_id::text, search from lead_profiles where project_id = %(p)s",
        {"p": api.project.id},
    )
    wrong = []
    for word in _WORDS:
        begins = re.compile(rf"(^|[\n \-.@_'+(/]){re.escape(word.lower())}")
        wanted = {lead for lead, search in stored if begins.search(search)}
        page = await api.get("/api/leads", params={"q": word, "limit": "200"})
        found = {lead["id"] for lead in page["leads"]}
        whole = len(wanted) <= 200
        if not (found == wanted if whole else found < wanted) or page["total"] != len(wanted):
            wrong.append((word, len(wanted), len(found), page["total"]))
    assert not wrong
