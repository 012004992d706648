"""An identity provider on this machine: real keys, real signatures, keys fetched over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT = "1234567890-leadpulse.apps.example.com"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Issuer:
    """Signs tokens, and answers its public keys at `url`."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"one": new_key()})
    url: str = ""
    asked: int = 0
    broken: bool = False
    max_age: int = 3_600

    def token(self, kid: str | None = None, **changes: Any) -> str:
        """A token for Ada, changed; a value that is None is left out."""
        kid = kid or next(reversed(self.keys))
        now = int(time.time())
        said = {
            "iss": "https://accounts.google.com",
            "aud": CLIENT,
            "azp": CLIENT,
            "sub": "1100220033",
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada Lovelace",
            "iat": now,
            "exp": now + 3_600,
            **changes,
        }
        body = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(body, self.keys[kid], "RS256", headers={"kid": kid})

    def document(self) -> bytes:
        """The public keys as they are published."""
        keys = []
        for kid, key in self.keys.items():
            public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
            keys.append({**public, "kid": kid, "alg": "RS256", "use": "sig"})
        return json.dumps({"keys": keys}).encode()


@contextmanager
def issuer() -> Iterator[Issuer]:
    """A running one."""
    made = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            self.send_response(500 if made.broken else 200)
            self.send_header("Cache-Control", f"public, max-age={made.max_age}")
            self.end_headers()
            self.wfile.write(b"" if made.broken else made.document())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/certs"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
