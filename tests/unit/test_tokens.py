"""Tokens: what is signed is read back, and nothing else is."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from leadpulse.domain.errors import Unauthorized
from leadpulse.ids import uuid7
from leadpulse.usecases.tokens import SECONDS, Claims, Tokens

KEY = "a" * 64
TOKENS = Tokens(KEY)
CLAIMS = Claims(uuid7(), uuid7(), "ada@example.com", uuid7())


def now() -> int:
    return int(time.time()) * 1_000_000


def body(**changes: Any) -> dict[str, Any]:
    """What a token of ours says, changed."""
    said: dict[str, Any] = jwt.decode(
        TOKENS.sign(CLAIMS, now()), options={"verify_signature": False}
    )
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def signed(said: dict[str, Any], tokens: Tokens = TOKENS, **header: Any) -> str:
    """A token with any content that our key signed."""
    kid = tokens._kid
    return jwt.encode(said, tokens._keys[kid], "HS256", headers={"kid": kid, **header})


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def by_hand(key: bytes, alg: str) -> str:
    """Signed without a library that would warn of this key."""
    head = f"{part({'alg': alg, 'typ': 'JWT', 'kid': TOKENS._kid})}.{part(body())}"
    mac = hmac.digest(key, head.encode(), f"sha{alg.removeprefix('HS')}")
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def refused(token: str, code: str = "unknown_session") -> None:
    with pytest.raises(Unauthorized) as raised:
        TOKENS.read(token)
    assert raised.value.code == code


def test_what_was_signed_is_read_back() -> None:
    """A token says session, user, address and project."""
    assert TOKENS.read(TOKENS.sign(CLAIMS, now())) == CLAIMS
    nowhere = CLAIMS._replace(project_id=None)
    assert TOKENS.read(TOKENS.sign(nowhere, now())) == nowhere
    assert TOKENS.read(signed(body())) == CLAIMS


def test_a_token_is_good_for_a_week() -> None:
    """After that, and only then, the session has ended."""
    assert TOKENS.read(TOKENS.sign(CLAIMS, now() - (SECONDS - 60) * 1_000_000)) == CLAIMS
    refused(TOKENS.sign(CLAIMS, now() - (SECONDS + 120) * 1_000_000), "expired_session")


def test_a_token_without_signature_is_refused() -> None:
    """`alg: none`, in any spelling, with and without a rest of a signature."""
    kid = TOKENS._kid
    for alg in ("none", "None", "NONE", "nOnE", ""):
        head = f"{part({'alg': alg, 'typ': 'JWT', 'kid': kid})}.{part(body())}"
        for signature in ("", TOKENS.sign(CLAIMS, now()).rpartition(".")[2]):
            refused(f"{head}.{signature}")
    refused(jwt.encode(body(), "", "none", headers={"kid": kid}))


def test_the_algorithm_is_not_the_tokens_to_choose() -> None:
    """Neither a public key taken for ours nor another hash with our key is accepted."""
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    kid = TOKENS._kid
    refused(jwt.encode(body(), private, "RS256", headers={"kid": kid}))
    # Signed with HS256 and the public key as if it were a shared one.
    refused(by_hand(public, "HS256"))
    assert TOKENS.read(by_hand(TOKENS._keys[kid], "HS256")) == CLAIMS
    for alg in ("HS384", "HS512"):
        refused(by_hand(TOKENS._keys[kid], alg))


def test_another_key_signs_nothing_of_ours() -> None:
    """Under our kid, under its own, under none, and under one that points elsewhere."""
    other = Tokens("b" * 64)
    refused(other.sign(CLAIMS, now()))
    refused(signed(body(), other, kid=TOKENS._kid))
    for kid in ("", "../../../dev/null", "' or 1=1 --", TOKENS._kid.upper() + " "):
        refused(signed(body(), other, kid=kid))
        refused(signed(body(), kid=kid))
    own_key = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode()}
    refused(jwt.encode(body(), "x" * 32, "HS256", headers={"kid": "x", "jwk": own_key}))


def test_a_token_is_for_us_by_us_and_complete() -> None:
    """Another audience, another issuer, a time to come, and anything left out."""
    refused(signed(body(aud="other")))
    refused(signed(body(aud=["other"])))
    refused(signed(body(iss="other")))
    refused(signed(body(nbf=int(time.time()) + 600)))
    refused(signed(body(iat=int(time.time()) + 600)))
    refused(signed(body(exp=int(time.time()) - 600)), "expired_session")
    for name in ("aud", "exp", "iat", "iss", "nbf", "sid", "sub"):
        refused(signed({k: v for k, v in body().items() if k != name}))
    for name, wrong in (("sid", 7), ("sub", 7), ("projectId", 7), ("exp", "never"), ("sid", [])):
        refused(signed(body(**{name: wrong})))


def test_what_was_changed_or_cut_is_refused() -> None:
    """Any character less, any other content, anything that is no token at all."""
    token = TOKENS.sign(CLAIMS, now())
    head, said, signature = token.split(".")
    for wrong in (
        token[:-1], token[:-10], token[1:], f"{head}.{said}", f"{head}.{said}.", "..", "", ".", "x",
        f"{head}.{part(body(projectId=uuid7()))}.{signature}", f"{token}.{signature}",
        f"{head}..{signature}", "é" * 20, "a." * 5000, "\x00.\x00.\x00",
        f"{part([])}.{said}.{signature}", f"{part({'alg': 'HS256'})}.{said}.{signature}",
    ):  # fmt: skip
        refused(wrong)


def test_the_previous_key_is_good_and_signs_no_more() -> None:
    """While the signing key is being changed nobody is logged out."""
    new = Tokens("c" * 64, KEY)
    old = TOKENS.sign(CLAIMS, now())
    assert new.read(old) == CLAIMS
    assert new.is_csrf(TOKENS.csrf(CLAIMS.session_id), CLAIMS.session_id)
    assert new.known_device(TOKENS.device(CLAIMS.user_id), CLAIMS.user_id)
    fresh = new.sign(CLAIMS, now())
    assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(old)["kid"]
    refused(fresh)
    with pytest.raises(Unauthorized):
        Tokens("c" * 64).read(old)


def test_small_secrets_are_of_one_session_and_one_person() -> None:
    """A value against forgery is of its session, a device of its user."""
    mine, other = uuid7(), uuid7()
    assert TOKENS.is_csrf(TOKENS.csrf(mine), mine)
    for wrong in (TOKENS.csrf(other), "", TOKENS.csrf(mine)[:-1], "é", TOKENS.csrf(mine).upper()):
        assert not TOKENS.is_csrf(wrong, mine)
    device = TOKENS.device(mine)
    assert TOKENS.known_device(device, mine) == device.partition(".")[0]
    for wrong in (TOKENS.device(other), "", ".", f"x{device}", device[:-1]):
        assert TOKENS.known_device(wrong, mine) is None
