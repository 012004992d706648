"""The dashboard as it was built: read once, then answered from memory.

Every address of the app is the same page; its scripts and styles have their content's hash in
their names and are kept by browsers for good. A file is answered only if it was there at the
start: no request names a path on the disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from leadpulse.http.security import page_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FOLDER: Final = Path(__file__).with_name("web")
SDK_FOLDER: Final = Path(__file__).with_name("sdk")
# What all files together may take: they stay in the memory of each process.
LARGEST: Final = 64 * 1024 * 1024

# The addresses of the app.
PAGES: Final = (
    "/", "/login", "/register", "/verify-email", "/forgot-password", "/reset-password",
    "/accept-invitation", "/dashboard", "/leads", "/leads/import", "/leads/{lead_id}", "/events",
    "/leaderboard", "/scoring", "/simulator", "/integrations", "/system", "/settings",
    "/settings/{section}",
)  # fmt: skip
NOT_BUILT: Final = (
    "The dashboard was not built here: `make setup` builds it. The API is described at /api/docs.\n"
)

# Below these an unknown address is some program's mistake, and never a page.
_NO_PAGES: Final = frozenset({"api", "assets", "metrics", "sdk", "socket.io"})
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
# What the build lays beside a file, the smallest first.
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
_FOR_GOOD: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_AGAIN: Final = {"Cache-Control": "no-cache"}
# Any website loads it, by a name that does not change.
_ANYBODYS: Final = {
    "Cache-Control": "public, max-age=3600",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in each of its codings; `identity` is always among them."""

    kind: str
    headers: Mapping[str, str]
    forms: Mapping[str, bytes]
    digest: str

    def answer(self, request: Request, status: int = 200) -> Response:
        """The file as this client reads it best, or 304 if it has it."""
        coding = preferred(",".join(request.headers.getlist("accept-encoding")), self.forms)
        tag = f'"{self.digest}-{coding}"'
        headers = {**self.headers, "Vary": "Accept-Encoding"}
        if status == 200:
            headers["ETag"] = tag
            if _is_known(tag, ",".join(request.headers.getlist("if-none-match"))):
                return Response(status_code=304, headers=headers)
        if coding != "identity":
            headers["Content-Encoding"] = coding
        return Response(self.forms[coding], status, headers, self.kind)


@dataclass(frozen=True, slots=True)
class Pages:
    """What is served beside the API: files by their address, and the one page of the app."""

    files: Mapping[str, Stored] = field(default_factory=dict)
    page: Stored | None = None

    def unknown(self, request: Request) -> Response | None:
        """The app's own word on an address that is none, for whoever reads pages."""
        area = request.scope["path"].lstrip("/").partition("/")[0]
        reads = request.method == "GET" and _reads_pages(request.headers.getlist("accept"))
        if self.page is None or not reads or area in _NO_PAGES:
            return None
        return self.page.answer(request, 404)


def load(folder: Path = FOLDER, sdk: Path = SDK_FOLDER) -> Pages:
    """Everything that the build left in these folders; nothing where there was none.

    Raises ValueError if it is more than a process should hold.
    """
    files = {
        f"/{name}": _stored(path, _FOR_GOOD if name.startswith("assets/") else _ASK_AGAIN)
        for name, path in _files(folder)
    }
    files |= {f"/sdk/{name}": _stored(path, _ANYBODYS) for name, path in _files(sdk)}
    held = sum(len(body) for stored in files.values() for body in stored.forms.values())
    if held > LARGEST:
        raise ValueError(f"{folder} holds {held} bytes, and may hold {LARGEST}.")
    return Pages(files, files.pop("/index.html", None))


def router(pages: Pages) -> APIRouter:
    """The routes of the dashboard; they are no part of the API's description."""
    made = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        if pages.page is None:
            return Response(NOT_BUILT, 404, media_type="text/plain")
        return pages.page.answer(request)

    async def file(request: Request) -> Response:
        found = pages.files.get(request.scope["path"])
        if found is None:
            raise HTTPException(404)
        return found.answer(request)

    for path in PAGES:
        made.add_api_route(path, page)
    for path in pages.files:
        if not path.startswith("/assets/"):
            made.add_api_route(path, file)
    made.add_api_route("/assets/{name:path}", file)
    return made


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder by their names as addresses have them."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if path.is_file() and not hidden and path.suffix not in _CODINGS.values():
            yield name, path


def _stored(path: Path, headers: Mapping[str, str]) -> Stored:
    body = path.read_bytes()
    forms = {"identity": body}
    for coding, ending in _CODINGS.items():
        packed = path.with_name(path.name + ending)
        if packed.is_file():
            forms[coding] = packed.read_bytes()
    if path.suffix == ".html":
        headers = {**headers, "Content-Security-Policy": page_policy()}
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    return Stored(kind, headers, forms, hashlib.sha256(body).hexdigest()[:20])


# ── What browsers say ────────────────────────────────────────────────────────────────


def preferred(accepted: str, offered: Iterable[str]) -> str:
    """The coding that Accept-Encoding asks for; among equals the smallest."""
    weights = _weights(accepted)
    others = weights.get("*", 0.0)
    there = set(offered)
    # Nothing is said of `identity`: then it is what is taken when nothing else is.
    best, weight = "identity", weights.get("identity", 0.0)
    for coding in reversed([coding for coding in _CODINGS if coding in there]):
        wanted = weights.get(coding, others)
        if wanted > 0 and wanted >= weight:
            best, weight = coding, wanted
    return best


def _reads_pages(accepted: list[str]) -> bool:
    """Whether HTML is asked for by its name: `*/*` is what programs say."""
    weights = _weights(",".join(accepted))
    return max(weights.get("text/html", 0.0), weights.get("application/xhtml+xml", 0.0)) > 0


def _weights(header: str) -> dict[str, float]:
    """What a header accepts, from 0 to 1; a weight that can't be read is none."""
    found = {}
    for item in header.split(","):
        name, *parameters = (part.strip() for part in item.lower().split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if name:
            found[name] = weight if 0 <= weight <= 1 else 0.0
    return found


def _is_known(tag: str, header: str) -> bool:
    """Whether If-None-Match names this tag; a proxy may have made it a weak one."""
    named = {one.strip().removeprefix("W/") for one in header.split(",")}
    return tag in named or "*" in named
