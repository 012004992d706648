"""After the whole suite: what became of the statements that were tried beside a twin project."""

from __future__ import annotations

import re
from typing import Final

import psycopg
import pytest

from leadpulse.postgres.connect import adapt, connect
from leadpulse.postgres.session import projects_setting
from leadpulse.usecases.projects import create_project
from support.lookups import conditions, fill, plan_row_by_row
from support.postgres import Cluster
from support.twins import SEEN, cut, tables

# So many come by when every test runs.
_ALL: Final = 250


def test_cut_conditions_mattered(cluster: Cluster) -> None:
    """Without the wall nearly all of them met the twin, in every table: the trials prove much."""
    tried = [
        each for each in SEEN.statements.values() if each.tries and cut(each.text) != each.text
    ]
    if len(tried) < _ALL:
        pytest.skip(f"only {len(tried)} statements came by; this looks at a run of all tests")
    met = [each.text for each in tried if each.mattered]
    assert len(met) > 0.75 * len(tried), [each.text for each in tried if not each.mattered]
    name = cluster.create()
    try:
        with psycopg.connect(cluster.dsn(name)) as connection:
            walled = {*tables(connection)}
    finally:
        cluster.drop(name)
    words = set(re.findall(r"\w+", " ".join(met)))
    assert walled <= words


async def test_walls_take_no_index_away(cluster: Cluster) -> None:
    """Behind the wall every statement finds its rows by as many conditions as without one."""
    texts = [each.text for each in SEEN.statements.values()]
    if len(texts) < _ALL:
        pytest.skip(f"only {len(texts)} statements came by; this looks at a run of all tests")
    name = cluster.create()
    try:
        async with await connect(cluster.dsn(name), "test") as store:
            project = await create_project(store, "Walls")
        with psycopg.connect(cluster.dsn(name), autocommit=True) as connection:
            adapt(connection)
            fill(connection, project.id)
            plan_row_by_row(connection)
            free = {text: conditions(connection, text) for text in texts}
            connection.execute("set role leadpulse_app")
            connection.execute(
                "select set_config('leadpulse.projects', %s, false)", [projects_setting(project.id)]
            )
            behind = {text: conditions(connection, text) for text in texts}
    finally:
        cluster.drop(name)
    slower = [
        (text, table, n, behind[text].get(table, 0))
        for text, served in free.items()
        for table, n in served.items()
        if behind[text].get(table, n) < n
    ]
    assert not slower
