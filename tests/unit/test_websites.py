"""Names of websites as people type them."""

from __future__ import annotations

import pytest

from leadpulse.domain.websites import host, origin


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://Example.com", "https://example.com"),
        (" http://localhost:3000/ ", "http://localhost:3000"),
        ("https://x.com:443", "https://x.com"),
        ("http://x.com:80", "http://x.com"),
        ("http://x.com:443", "http://x.com:443"),
        ("https://bücher.de", "https://xn--bcher-kva.de"),
        ("https://[::1]:8080", "https://[::1]:8080"),
        ("https://192.0.2.1", "https://192.0.2.1"),
    ],
)
def test_a_website_takes_the_form_in_which_browsers_send_it(typed: str, sent: str) -> None:
    """Lower case, in ASCII, without the usual port; and that form stays as it is."""
    assert origin(typed) == sent
    assert origin(sent) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "", "null", "*", "x.com", "//x.com", "https://", "https://*.x.com", "https://x.com/a",
        "https://x.com?", "https://x.com#", "https://u@x.com", "https://x.com@evil.com",
        "ftp://x.com", "file:///x", "javascript:alert(1)", "https://x.com:99999",
        "https://x.com:a", "https:// x.com", "https://x.com\\evil", "https://x\ny.com",
        "https://-x.com", "https://x..com", "https://" + "a" * 64 + ".com",
        "https://" + "a." * 150 + "com",
    ],
)  # fmt: skip
def test_what_is_no_website_is_refused(typed: str) -> None:
    """With a sentence that shows one."""
    with pytest.raises(ValueError, match="must be a website"):
        origin(typed)


def test_a_host_is_a_name() -> None:
    """Without scheme, port or path."""
    assert host(" Shop.Example.com ") == "shop.example.com"
    assert host("bücher.de") == "xn--bcher-kva.de"
    for wrong in ("", "a b", "x.com/", "x.com:80", "https://x.com", "a" * 254, "é" * 300, "."):
        with pytest.raises(ValueError, match=r"."):
            host(wrong)
