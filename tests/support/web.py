"""A dashboard of a few files, as a build leaves them, for tests of how it is served."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = (
    "<!doctype html><title>LeadPulse</title>"
    '<script type="module" src="/assets/index-B1x.js"></script><div id="root"></div>'
)
CODE: Final = "export const answer = 42;\n" * 50
SCRIPT: Final = "/assets/index-B1x.js"
PICTURE: Final = "/favicon.svg"
# Nobody unpacks it here, so that it need not be real.
BROTLI: Final = b"as small as it gets"


def small_web(folder: Path) -> Path:
    """Writes the files, and returns the folder."""
    assets = folder / "assets"
    assets.mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / ".hidden").write_text("not for anybody")
    script = assets / "index-B1x.js"
    script.write_text(CODE)
    (assets / "index-B1x.js.gz").write_bytes(gzip.compress(CODE.encode()))
    (assets / "index-B1x.js.br").write_bytes(BROTLI)
    return folder
