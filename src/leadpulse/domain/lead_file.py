"""Leads in a CSV file of whatever make: its rows, what its columns mean, what a row says."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from leadpulse.domain import names
from leadpulse.domain.errors import FieldError, Invalid
from leadpulse.domain.identity import EMAIL, USER_ID, Name
from leadpulse.domain.profile import NAME_CHARACTERS
from leadpulse.domain.spreadsheet import plain

MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 100
# Fields of a lead that a column can hold, beside `traits.X`; `traits` is all of them as JSON.
FIELDS: Final = ("email", "userId", "name", "company", "owner", "status", "traits")
TRAIT: Final = "traits."
_FIRST_NAME: Final = "traits.firstName"
_LAST_NAME: Final = "traits.lastName"
_DELIMITERS: Final = (",", ";", "\t")
# As cells see them: other signs that end lines elsewhere are text.
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_SAMPLES: Final = 3
_SAMPLE_CHARACTERS: Final = 100
_BETWEEN: Final = re.compile(r"[\W_]+")
# Headers by the letters and digits in them, in lower case.
_MEANINGS: Final[Mapping[str, str | None]] = {
    header: field
    for field, headers in {
        "email": "email emailaddress mail mailaddress workemail primaryemail",
        "userId": "userid externalid customerid uid",
        "name": "name fullname displayname contact contactname leadname",
        _FIRST_NAME: "firstname givenname forename",
        _LAST_NAME: "lastname surname familyname",
        "company": "company companyname organization organisation account accountname employer",
        "owner": "owner owneremail ownerid leadowner contactowner assignedto assignee salesrep",
        "status": "status leadstatus",
        "traits": "traits",
        # What leads have of themselves, and what the file of rejected rows adds.
        None: "id leadid anonymousid anonymousids stage leadstage score currentscore velocity "
        "risk lasteventat createdat problem",
    }.items()
    for header in headers.split()
}


class Column(NamedTuple):
    """A column by its header, and the field that it holds; None: it is left out."""

    header: str
    field: str | None


class Row(NamedTuple):
    """A row with the line on which it begins; `problem`: why it can't be read."""

    line: int
    cells: list[str]
    problem: str | None = None


class LeadFile(NamedTuple):
    """A file that was read."""

    columns: list[Column]
    rows: list[Row]

    def names_anybody(self) -> bool:
        """Whether a column holds what leads are found by."""
        return any(column.field in ("email", "userId") for column in self.columns)


def _wrong(message: str, field: str = "csv") -> Invalid:
    return Invalid([FieldError(field, message)])


# ── Reading ──────────────────────────────────────────────────────────────────────────


def read(text: str, wanted: Mapping[str, str | None] | None = None) -> LeadFile:
    """Reads a file; `wanted` says of some headers what they mean. Raises Invalid."""
    text = text.removeprefix("\ufeff")
    records = _records(text, _delimiter(text))
    _, headers = next(records, (0, []))
    headers = [header.strip() for header in headers]
    while headers and not headers[-1]:
        headers.pop()
    if not headers:
        raise _wrong("is empty; its first row names the columns")
    if len(headers) > MOST_COLUMNS:
        raise _wrong(f"has more than {MOST_COLUMNS} columns")
    columns = _columns(headers, wanted or {})
    rows: list[Row] = []
    for line, cells in records:
        if len(rows) == MOST_ROWS:
            raise _wrong(f"has more than {MOST_ROWS:,} rows; divide it into several files")
        rows.append(_row(line, cells, len(headers)))
    if not rows:
        raise _wrong("has no row below its headers")
    return LeadFile(columns, rows)


def _delimiter(text: str) -> str:
    """The one that divides the first row into most cells."""

    def width(delimiter: str) -> int:
        try:
            _, cells = next(_records(text, delimiter), (0, []))
        except Invalid:
            return 0
        return len(cells)

    return max(_DELIMITERS, key=width)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines on which records begin, and their cells; blank ones are left out."""
    lines = (found[0] for found in _LINE.finditer(text) if found[0])
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _wrong(f"can't be read from line {line} on: {error}") from None


def _row(line: int, cells: list[str], width: int) -> Row:
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) > width:
        return Row(line, cells, f"The row has {len(cells)} cells, and the file {width} columns.")
    return Row(line, cells + [""] * (width - len(cells)))


# ── Columns ──────────────────────────────────────────────────────────────────────────


def _columns(headers: Sequence[str], wanted: Mapping[str, str | None]) -> list[Column]:
    """What each column holds. Of two with the same header or field the second is left out."""
    errors = [
        FieldError(f"columns.{header}", "is no column of this file")
        for header in wanted
        if header not in headers
    ]
    taken: dict[str, str] = {}
    for header, field in wanted.items():
        if field is None:
            continue
        if not _is_field(field):
            errors.append(FieldError(f"columns.{header}", f"{field} is no field of a lead"))
        elif field in taken:
            told = f"{field} is what {taken[field]} means already"
            errors.append(FieldError(f"columns.{header}", told))
        taken[field] = header
    if errors:
        raise Invalid(errors)
    columns: list[Column] = []
    seen: set[str] = set()
    for header in headers:
        field = wanted[header] if header in wanted else _meaning(header)
        fresh = header not in seen and (header in wanted or field not in taken)
        columns.append(Column(header, field if fresh else None))
        seen.add(header)
        if fresh and field is not None:
            taken[field] = header
    return columns


def _meaning(header: str) -> str | None:
    """What a header means by itself: a field, else a trait of its name."""
    if header.startswith(TRAIT) and _is_field(header):
        return header
    key = _BETWEEN.sub("", header.lower())
    if key in _MEANINGS:
        return _MEANINGS[key]
    return f"{TRAIT}{header}" if key and _is_field(f"{TRAIT}{header}") else None


def _is_field(field: str) -> bool:
    if not field.startswith(TRAIT):
        return field in FIELDS
    trait = field.removeprefix(TRAIT)
    return 1 <= len(trait) <= NAME_CHARACTERS and trait[0] != "$"


def samples(file: LeadFile, column: int) -> list[str]:
    """The first different values of a column, to see what it holds."""
    found: dict[str, None] = {}
    for row in file.rows:
        value = plain(row.cells[column]).strip() if column < len(row.cells) else ""
        if value:
            found[value[:_SAMPLE_CHARACTERS]] = None
        if len(found) == _SAMPLES:
            break
    return [*found]


# ── Rows ─────────────────────────────────────────────────────────────────────────────


def names_in(columns: Sequence[Column], cells: Sequence[str]) -> list[Name]:
    """The identifiers that stand in a row, whatever else is wrong with it."""
    found: list[Name] = []
    for column, cell in zip(columns, cells, strict=False):
        value = plain(cell).strip()
        try:
            if column.field == "email" and (email := names.email(value)) is not None:
                found.append((EMAIL, email))
            elif column.field == "userId" and (user := names.identifier(value)) is not None:
                found.append((USER_ID, user))
        except ValueError:
            continue
    return found


def document(columns: Sequence[Column], cells: Sequence[str]) -> dict[str, Any]:
    """What a row says of a lead; an empty cell says nothing. Raises Invalid."""
    said = {
        column.field: value
        for column, cell in zip(columns, cells, strict=True)
        if column.field is not None and (value := plain(cell).strip())
    }
    found: dict[str, Any] = {
        field: value.lower() if field == "status" else value
        for field, value in said.items()
        if not field.startswith("traits")
    }
    traits = _all_traits(said["traits"]) if "traits" in said else {}
    if isinstance(traits.get("company"), dict):
        found["company"] = traits.pop("company")  # so it is written out
    traits |= {
        field.removeprefix(TRAIT): value for field, value in said.items() if field.startswith(TRAIT)
    }
    if "name" not in found and (_FIRST_NAME in said or _LAST_NAME in said):
        parts = (said.get(_FIRST_NAME), said.get(_LAST_NAME))
        found["name"] = " ".join(part for part in parts if part)
    if traits:
        found["traits"] = traits
    return found


def _all_traits(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _wrong("must be a JSON object", "traits")
    return found
