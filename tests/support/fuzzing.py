"""How the API is fuzzed from its own description: schemathesis, loaded with the checks below.

Every check of schemathesis is on. Two of them know only what a JSON schema can say; they are
called through a check of ours that knows, answer by answer, what more a rule of the product
demands. What is excused here is excused by the exact sentence of the answer, never by its status.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import schemathesis
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

AnyCase: TypeAlias = "schemathesis.Case[Any]"

# Field and message of 422s that a schema can't foresee, and why they are right.
BEYOND_A_SCHEMA: Final = {
    # A cursor belongs to one list; its form is no business of clients.
    r"cursor": r"is not a cursor of this list",
    r"cursor|skip": r"can't be combined with .*",
    r"page|skip": r"ends at row 10000; go on with the cursor",
    # Texts that no database holds: U+0000 and lone surrogates.
    r".*": r".*characters that can't be stored",
    # JSON Schema counts the characters of a text that is then trimmed.
    r"name|company|owner|company\.name": r"must be (a text of )?1 to 200 characters",
    r"note": r"must be a text of 1 to 1000 characters",
    r"(.*\.)?(eventType|id|name|field|action|text)|notActivity\[\d+\]": r"must not be empty",
    # `format: email` of a schema is a wide field; ours is what mail servers take.
    r"email": (
        r"must be (a valid|an email) address|email, userId or name is required"
        r"|can't be asked for together with another name"
    ),
    # At least one of several, each of which may also be null or a word for nobody.
    r"userId": r"one of userId, email, anonymousId or leadId is required",
    r"userId|anonymousIds\[\d+\]": r"says only that nobody is known",
    # Integers of any size are ids, as long as their digits fit.
    r"(user|anonymous|lead|event|session)Id|email": r"must be at most 255 characters",
    # Printable is more than a pattern can tell.
    r"event|eventType": r"must hold printable characters only|must not be blank",
    # A day may exist in a pattern and not in the calendar, or before 1970.
    r"timestamp|sentAt|seenAfter|from|to": (
        r"is not a time between the years 1970 and 9999|lies so far ahead .*|is not a day .*"
    ),
    # Bytes and depth of what is sent, and numbers that only a big integer can hold.
    r"properties|traits|traits\..*|company": (
        r"(are|may be) .*10 levels.*|holds? .*|must be at most 1024 bytes of JSON"
        r"|belongs outside of traits|must be a text"
    ),
    # An operand must fit its operator.
    r"(rules\[\d+\]\.)?conditions\[\d+\]\.value": r"must .*",
    # Steps of a cent; binary fractions have no `multipleOf`.
    r"points|rules\[\d+\]\.points": r"must (have at most 2 decimals|be between .* two decimals.*)",
    # What a name of a place, a website or a person is.
    r"domain": r"must be a host name, .*",
    r"timeZone": r"must be a time zone, .*",
    r"origins(\[\d+\])?": r"must be (a website, .*|empty: .*)",
    r"scopes": r"must be (some of .*|empty: .*)",
    r"transfer": r"goes with the role owner only|must be to somebody else",
    r"expiresAt": (
        r"must be in the future|is not a time between .*|lies so far ahead .*|is not a day .*"
    ),
    r"token": r"is not good any more.*",
    r"body": r"send idToken or credential",
    r"password|newPassword": r"(must be|is easy|is made of) .*",
    # A path and its body, stages among each other, limits among each other.
    r"id": r"must be the id in the path",
    r"rules\[\d+\]\.id": r"is used by another rule",
    r"stages\[\d+\]\.(name|from)": r"must be .*",
    r"risk\.highDays": r"must not be below risk\.mediumDays",
    # By the hour there is less to see than by the day.
    r"hours": r"must be between 1 and 744 by hour",
    # A year from now is another instant each time.
    r"at": r"must be at most 365 days ahead",
    # A text is a table of leads or it isn't.
    r"csv": (
        r"is empty; its first row names the columns|has no row below its headers"
        r"|has more than 100 columns|can't be read from line .*"
    ),
    # Only the file itself says which columns it has, and no two may mean the same.
    r"columns\..*": r"is no column of this file|.* is what .* means already",
    # Which leads there are.
    r"intoId": r"is no lead of this project|is this lead itself",
}


def _is_excused(problem: dict[str, Any]) -> bool:
    if problem["code"] == "unknown_lead":
        return True  # no schema knows the leads of a project
    return problem["code"] == "invalid" and all(
        any(
            re.fullmatch(field, error["field"]) and re.fullmatch(message, error["message"])
            for field, message in BEYOND_A_SCHEMA.items()
        )
        for error in problem.get("errors", [])
    )


@schemathesis.check
def valid_data_is_taken(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: AnyCase
) -> bool | None:
    """positive_data_acceptance, but for rules that no schema can tell."""
    if response.status_code == 422 and _is_excused(response.json()):
        return None
    return positive_data_acceptance(ctx, response, case)


@schemathesis.check
def invalid_data_is_rejected(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: AnyCase
) -> bool | None:
    """negative_data_rejection, but for events of a batch, each of which is judged alone."""
    if response.status_code == 202 and case.path.endswith("/batch") and response.json()["rejected"]:
        return None
    return negative_data_rejection(ctx, response, case)


@schemathesis.check
def credentials_are_looked_at(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: AnyCase
) -> bool | None:
    """ignored_auth, but for an empty header, which holds no credential: the next place counts."""
    if response.request.headers.get("X-API-Key") == "":
        return None
    return ignored_auth(ctx, response, case)


@schemathesis.check
def errors_tell_nothing_of_the_inside(
    _ctx: schemathesis.CheckContext, response: schemathesis.Response, case: AnyCase
) -> bool | None:
    """No name of a function, type or driver, and no key, stands in a problem."""
    if response.status_code < 400:
        return None
    told = response.content.decode()
    sent = str(case.as_curl_command())
    for word in ("functools", "function-", "<class", "Traceback", "psycopg", "literal", "sk_"):
        assert word not in told or word in sent, told
    return None


# ── Running it ───────────────────────────────────────────────────────────────────────

CONFIG: Final = """
[generation]
database = "none"

[output.truncation]
enabled = false

# It would take the words of our errors for promises about single fields: "userId: one of userId,
# email … is required" makes it demand that an event without userId is refused.
[phases.fuzzing.error-feedback]
enabled = false
"""
# Called through ours.
REPLACED: Final = ("positive_data_acceptance", "negative_data_rejection", "ignored_auth")


@dataclass(frozen=True)
class Fuzz:
    """One run: as whom, how many examples of each call, and from which seed.

    `project` stands wherever a path names one; only paths that fit `paths` are called, and of
    those not the operations in `but`.
    """

    headers: dict[str, str]
    examples: int
    seed: int = 1
    seconds: float = 200
    project: str | None = None
    paths: str | None = None
    but: tuple[str, ...] = ()


def fuzz(url: str, folder: Path, run: Fuzz) -> str:
    """Fuzzes a server by its own description and returns the report; fails with it."""
    config = folder / "schemathesis.toml"
    inside = f'\n[parameters]\n"path.project_id" = "{run.project}"\n' if run.project else ""
    config.write_text(CONFIG + inside)
    headers = [word for name, value in run.headers.items() for word in ("-H", f"{name}: {value}")]
    only = ["--include-path-regex", run.paths] if run.paths else []
    only += [word for name in run.but for word in ("--exclude-operation-id", name)]
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
            f"{url}/api/openapi.json", *headers, *only, "--checks", "all",
            "--exclude-checks", ",".join(REPLACED), "--max-examples", str(run.examples),
            "--seed", str(run.seed), "--continue-on-failure", "--no-color",
            "--max-response-time", "30",
        ],
        capture_output=True, text=True, timeout=run.seconds, check=False, cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "support.fuzzing", "PYTHONPATH": str(tests)},
    )  # fmt: skip
    report = done.stdout + done.stderr
    # Long runs of one character are what fuzzing is fond of.
    report = re.sub(r"(.)\1{200,}", r"\1…\1", report)
    assert done.returncode == 0, report
    return report


def calls_of(report: str) -> int:
    """How many calls the report says were made."""
    found = re.search(r"(\d+) generated", report)
    assert found is not None, report
    return int(found[1])
