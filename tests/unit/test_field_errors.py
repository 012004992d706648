"""The words for what is wrong with a field."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from leadpulse.http.field_errors import field_errors


class _Kind(StrEnum):
    SMALL = "small"
    LARGE = "large"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = 0


@pytest.mark.parametrize(
    ("wanted", "given", "told"),
    [
        (Annotated[float, Field(le=10_000)], 20_000, "must be at most 10000"),
        (Annotated[int, Field(ge=1)], 0, "must be at least 1"),
        (Annotated[int, Field(gt=0)], 0, "must be more than 0"),
        (Annotated[int, Field(lt=5)], 5, "must be less than 5"),
        (Annotated[str, Field(min_length=2)], "a", "must have at least 2 characters"),
        (Annotated[str, Field(max_length=2)], "abc", "must have at most 2 characters"),
        (Annotated[str, Field(pattern="^a+$")], "b", "must have the form ^a+$"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "must have at most 1 entries"),
        (str, 5, "must be a text"),
        (int, "five", "must be a whole number"),
        (int, 1.5, "must be a whole number"),
        (float, "much", "must be a number"),
        (bool, "perhaps", "must be true or false"),
        (datetime, "soon", "must be a time, such as 2026-01-31T12:00:00Z"),
        (AwareDatetime, "2026-01-31T12:00:00", "must be a time with a zone, such as"),
        (UUID, "me", "must be an id, such as"),
        (Literal["a", "b"], "c", "must be one of 'a' or 'b'"),
        (_Kind, "huge", "must be one of 'small' or 'large'"),
        (list[int], 5, "must be a list"),
        (_Part, [], "must be an object"),
        (_Part, {"weight": 1}, "is not a known field"),
    ],
)
def test_what_is_wrong_is_told_in_our_words(wanted: Any, given: object, told: str) -> None:
    """They say what must be, with the limit."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(wanted).validate_python(given)
    found = [{**item, "loc": ("body", "field")} for item in refused.value.errors()]
    (error,) = field_errors(found)
    assert error.field == "field"
    assert error.message.startswith(told)


def test_a_place_is_written_as_clients_write_it() -> None:
    """With dots and indexes, or the name of the input as a whole."""
    places = [("body", "conditions", 0, "op"), ("query", "limit"), ("body",)]
    found = field_errors({"loc": place, "type": "missing", "msg": ""} for place in places)
    assert [error.field for error in found] == ["conditions[0].op", "limit", "body"]
