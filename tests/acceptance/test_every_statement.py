"""After the whole suite: what became of the statements that were tried beside a twin project."""

from __future__ import annotations

import re
from typing import Final

import psycopg
import pytest

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
