"""Passwords: which are good enough, and how they are hashed and checked.

Hashing is slow and takes memory by design. It runs in threads of its own, few of them, with a
bounded number of callers waiting: a flood of logins can't hold up anything else, nor take all
memory. Judging a new password has one more thread: who chooses one holds up nobody who logs in.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from leadpulse.domain.errors import FieldError, Invalid, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_T = TypeVar("_T")

SHORTEST: Final = 10
LONGEST: Final = 1024
# One of a hundred million guesses has to find it; a common one is found in a few thousand.
_FEWEST_GUESSES: Final = 1e8
# Beside the person's own name and address so many letters have to be left.
_OTHERWISE: Final = 8
# Of a longer one the beginning is judged: judging takes time that grows with the square.
_JUDGED: Final = 32
# Signs that stand for the same letters are one for the judge, who tries every reading of them
# together: hundreds otherwise, and seconds.
_ALIKE: Final = str.maketrans({"{": "(", "[": "(", "<": "(", "|": "!"})
_WAITING: Final = 50
_CHOOSING: Final = 20
_SEPARATORS: Final = re.compile(r"[\W_]+")


class Cost(NamedTuple):
    """What one hash takes: rounds, and memory in KiB. Raise it, and hashes follow at login."""

    rounds: int = 3
    memory: int = 64 * 1024


class Checked(NamedTuple):
    """Whether a password is right; `fresh` is a new hash to be stored where the old is weak."""

    right: bool
    fresh: str | None = None


COST: Final = Cost()


class Passwords:
    """Hashes and checks beside the event loop."""

    def __init__(self, cost: Cost = COST, workers: int = 2) -> None:
        hasher = Argon2Hasher(time_cost=cost.rounds, memory_cost=cost.memory, parallelism=1)
        self._hasher = PasswordHash([hasher])
        self._nobodys = _nobodys_hash(cost)
        self._hashing = _Threads("passwords", workers, _WAITING)
        self._judging = _Threads("judging", 1, _CHOOSING)

    async def hash(self, password: str) -> str:
        """What is stored of a password. Raises Overloaded."""
        return await self._hashing.run(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, password: str, stored: str | None) -> Checked:
        """Checks a password. Without a stored one it takes as long, and is never right."""
        return await self._hashing.run(lambda: self._verify(_normal(password), stored))

    async def require_good(self, password: str, about: Iterable[str], field: str) -> None:
        """Raises Invalid for one that is too short, too long, or easy to guess; Overloaded.

        `about` is what a guesser tries first: the person's name and address.
        """
        words = tuple(about)
        problem = await self._judging.run(lambda: _weakness(_normal(password), words))
        if problem is not None:
            raise Invalid([FieldError(field, problem)])

    def close(self) -> None:
        """Ends the threads; what is being hashed is finished."""
        self._hashing.close()
        self._judging.close()

    def _verify(self, password: str, stored: str | None) -> Checked:
        right, fresh = self._hasher.verify_and_update(password, stored or self._nobodys)
        return Checked(right and stored is not None, fresh)


class _Threads:
    """A few threads, and so many callers at most who wait for them."""

    def __init__(self, name: str, threads: int, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = most
        self._waiting = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= self._most:
            raise Overloaded("Too many people are logging in right now.", 2)
        self._waiting += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Who gives up waiting leaves his work behind.
        done.add_done_callback(self._ended)
        return await asyncio.shield(done)

    def _ended(self, _: asyncio.Future[_T]) -> None:
        self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _normal(password: str) -> str:
    """The same text however a keyboard composed its letters."""
    return unicodedata.normalize("NFKC", password)


def _nobodys_hash(cost: Cost) -> str:
    """Looks like a hash made at this cost, and no password fits it."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32)
    )
    return f"$argon2id$v=19$m={cost.memory},t={cost.rounds},p=1${salt}${digest}"


def _weakness(password: str, about: Iterable[str]) -> str | None:
    if not SHORTEST <= len(password) <= LONGEST:
        return f"must be {SHORTEST} to {LONGEST} characters"
    words = _words(about)
    rest = password.lower()
    for word in words:
        rest = rest.replace(word, "")
    if len(rest) < _OTHERWISE and len(rest) < len(password):
        return "is made of your own name or address; take several other words"
    if _guesses(password[:_JUDGED].translate(_ALIKE), words) < _FEWEST_GUESSES:
        return "is easy to guess; take several words that don't belong together"
    return None


def _words(about: Iterable[str]) -> list[str]:
    """Names and addresses, whole and in their parts, the longest first."""
    words = {"leadpulse"}
    for text in about:
        lowered = text.lower()
        words |= {lowered, lowered.partition("@")[0], *_SEPARATORS.split(lowered)}
    return sorted((word for word in words if len(word) >= 3), key=len, reverse=True)


_loading = threading.Lock()


def _guesses(password: str, words: list[str]) -> float:
    """How many guesses it takes someone who knows common passwords, names and the person."""
    with _loading:
        # Ten megabytes of lists, which only few processes ever need.
        from zxcvbn import matching, scoring  # noqa: PLC0415

    # The library's own entry point keeps the person's words in a table that all share.
    lists = {**matching.RANKED_DICTIONARIES, "user_inputs": matching.build_ranked_dict(words)}
    matches = matching.omnimatch(password, lists)
    found: dict[str, Any] = scoring.most_guessable_match_sequence(password, matches)
    return float(found["guesses"])
