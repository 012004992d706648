"""What every answer tells a browser: what it may do with it, which is as little as possible."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# An answer for programs: nothing in it is ever run, shown or framed.
API_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The documentation: our own style, no script.
DOCS_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def page_policy(inline: Iterable[str] = ()) -> str:
    """For pages of our own: scripts and styles from here, and these inline scripts exactly.

    Nothing inline else, nothing evaluated, nothing from or to elsewhere, framed by nobody.
    """
    hashes = "".join(f" '{script_hash(script)}'" for script in inline)
    return (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    )


def script_hash(script: str) -> str:
    """How a policy names an inline script: by all of its text between the tags."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


# For browsers that do not know frame-ancestors, and for scanners.
_FRAMES: Final = (b"x-frame-options", b"DENY")
_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_REFERRER: Final = (b"referrer-policy", b"no-referrer")
_OPENER: Final = (b"cross-origin-opener-policy", b"same-origin")
_OWN: Final = (b"cross-origin-resource-policy", b"same-origin")
_ANYBODYS: Final = (b"cross-origin-resource-policy", b"cross-origin")
_NO_STORE: Final = (b"cache-control", b"no-store")
_FEATURES: Final = (
    b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
)  # fmt: skip
_POLICY: Final = (b"content-security-policy", API_POLICY.encode())
# Two years, as the lists of browsers ask for; other hosts of the domain are not ours to decide.
HSTS: Final = (b"strict-transport-security", b"max-age=63072000")

# On answers to event calls, which every website may read. They come by the ten thousand a second:
# what says nothing more about a JSON document that nobody keeps or frames is left out.
EVENT_CALLS: Final = (_POLICY, _SNIFF, _ANYBODYS)
# On everything else, unless it brings its own.
COMMON: Final = (
    _POLICY, _SNIFF, _FRAMES, _REFERRER, _OPENER, _OWN, _FEATURES, _NO_STORE,
)  # fmt: skip
# On what is broken before it is a request.
BROKEN: Final = "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in EVENT_CALLS)


def completed(headers: Iterable[tuple[bytes, bytes]], *, secure: bool) -> Headers:
    """An answer's headers with those that it lacks."""
    made = list(headers)
    own = {name.lower() for name, _ in made}
    made += [header for header in COMMON if header[0] not in own]
    if secure:
        made.append(HSTS)
    return made
