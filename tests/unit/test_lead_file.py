"""CSV files of leads: dialects, headers, rows, apostrophes."""

from __future__ import annotations

import pytest

from leadpulse.domain.errors import Invalid
from leadpulse.domain.identity import EMAIL, USER_ID
from leadpulse.domain.lead_file import MOST_ROWS, document, names_in, read, samples
from leadpulse.domain.spreadsheet import harmless, plain


def fields(headers: str, wanted: dict[str, str | None] | None = None) -> list[str | None]:
    return [column.field for column in read(f"{headers}\n1,2,3,4,5,6,7,8", wanted).columns]


def said(text: str, wanted: dict[str, str | None] | None = None) -> list[dict[str, object]]:
    file = read(text, wanted)
    return [document(file.columns, row.cells) for row in file.rows]


def refused(text: str, wanted: dict[str, str | None] | None = None) -> str:
    with pytest.raises(Invalid) as told:
        read(text, wanted)
    return told.value.detail


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_any_make_are_read(sign: str, end: str, mark: str) -> None:
    """Delimiters, ends of lines, a byte order mark, quoted cells that hold any of them."""
    text = mark + end.join((
        sign.join(("Email", "Name")),
        "",
        sign.join(("ada@example.com", f'"Lovelace{sign} ""Ada"""')),
        sign.join((" bob@example.com ", '"two\nlines"')),
        sign * 3,
        sign.join(("eve@example.com", "Eve")),
    ))  # fmt: skip
    assert said(text) == [
        {"email": "ada@example.com", "name": f'Lovelace{sign} "Ada"'},
        {"email": "bob@example.com", "name": "two\nlines"},
        {"email": "eve@example.com", "name": "Eve"},
    ]
    if end == "\n":
        assert [row.line for row in read(text).rows] == [3, 4, 7]


def test_headers_mean_what_people_call_them() -> None:
    """In any case and with any signs between; what nobody knows is a trait of that name."""
    assert fields("E-mail,User ID,Full name,Company name,Lead Owner,STATUS") == [
        "email", "userId", "name", "company", "owner", "status",
    ]  # fmt: skip
    assert fields("email address,First Name,last_name,Job title,traits.plan,Traits") == [
        "email", "traits.firstName", "traits.lastName", "traits.Job title", "traits.plan", "traits",
    ]  # fmt: skip
    assert fields("email,id,stage,score,lastEventAt,problem,$x,E-Mail") == ["email"] + [None] * 7


def test_who_sends_the_file_says_what_a_column_means() -> None:
    """By its header; a column can be left out, and a field taken from the one that has it."""
    wanted = {"Contact": "email", "email": "traits.second", "Notes": None}
    assert fields("Contact,email,Notes,City", wanted) == [
        "email", "traits.second", None, "traits.City",
    ]  # fmt: skip
    assert "Town: is no column" in refused("email\na@b.example", {"Town": "name"})
    assert "columns.email: score is no field" in refused("email\na@b.example", {"email": "score"})
    assert "is no field" in refused("email\na@b.example", {"email": "traits."})
    assert "already" in refused("a,b\n1,2", {"a": "email", "b": "email"})


def test_a_row_says_what_its_cells_say() -> None:
    """Empty cells nothing; first and last name are the name where there is none."""
    rows = said(
        "email,First name,Last name,name,status,traits,traits.plan\n"
        "a@b.example,Ada,Lovelace,,Working,,\n"
        'b@b.example,Ada,,Countess,,"{""plan"": 1, ""n"": 2, ""company"": {""name"": ""C""}}",pro\n'
    )
    assert rows == [
        {
            "email": "a@b.example", "name": "Ada Lovelace", "status": "working",
            "traits": {"firstName": "Ada", "lastName": "Lovelace"},
        },
        {
            "email": "b@b.example", "name": "Countess", "company": {"name": "C"},
            "traits": {"plan": "pro", "n": 2, "firstName": "Ada"},
        },
    ]  # fmt: skip
    with pytest.raises(Invalid, match="traits: must be a JSON object"):
        said("email,traits\na@b.example,[1]")


def test_rows_of_another_width() -> None:
    """Shorter ones are filled up; in longer ones it isn't known which cell is which."""
    short, empty, long = read("email,name,company\na@b.example\nb@b.example,,,,\n1,2,3,4").rows
    assert (short.cells, short.problem) == (["a@b.example", "", ""], None)
    assert (empty.cells, empty.problem) == (["b@b.example", "", ""], None)
    assert long.cells == ["1", "2", "3", "4"]
    assert long.problem == "The row has 4 cells, and the file 3 columns."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "csv: is empty"),
        ("\n \n\t\n", "csv: is empty"),
        ("email,name\n\n", "csv: has no row"),
        ('email,name\na@b.example,"Ada', "csv: can't be read from line 2 on"),
        ('email,name\n\n"a"b,c', "csv: can't be read from line 3 on"),
        ("email\n" + "x" * 200_000, "csv: can't be read from line 2 on"),
        (",".join(["email"] * 101) + "\n1", "csv: has more than 100 columns"),
        ("email\n" + "a\n" * (MOST_ROWS + 1), "csv: has more than 20,000 rows"),
    ],
)
def test_what_is_no_file_of_leads_is_told(text: str, why: str) -> None:
    """What is wrong, and where."""
    assert refused(text).startswith(why)


def test_the_most_rows_there_may_be() -> None:
    """So many and no more."""
    assert len(read("email\n" + "a\n" * MOST_ROWS).rows) == MOST_ROWS


@pytest.mark.parametrize("text", ["=1+1", "-5", "@x", "+49 1", "Ada", "'quoted'", "", "＝x", " =1"])
def test_an_apostrophe_comes_and_goes(text: str) -> None:
    """What an export writes an import reads as it was."""
    assert plain(harmless(text)) == text


def test_names_are_found_whatever_else_is_wrong() -> None:
    """For people of whom nothing may be kept."""
    columns = read("email,userId,owner\n1,2,3").columns
    assert names_in(columns, [" Ada@Example.com", "'-5", "x"]) == [
        (EMAIL, "ada@example.com"), (USER_ID, "-5"),
    ]  # fmt: skip
    assert names_in(columns, ["none", "x" * 300, ""]) == []


def test_samples_are_the_first_different_values() -> None:
    """Without empty ones."""
    file = read("email,City\na,Oslo\nb,\nc,Oslo\nd,Rome\ne,Bonn\nf,Kiel")
    assert samples(file, 1) == ["Oslo", "Rome", "Bonn"]
