"""The API's description as one page for people: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from typing import Any, Final

from leadpulse.http.security import DOCS_POLICY

HEADERS: Final = {"Content-Security-Policy": DOCS_POLICY, "Cache-Control": "no-cache"}

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem; }
h1 { margin-top: 0 } h2 { margin-top: 3rem; text-transform: capitalize }
nav ul { columns: 2; padding-left: 1rem } code, pre { font: 14px/1.45 ui-monospace, monospace }
pre { background: var(--soft); padding: .75rem; overflow: auto; border-radius: .5rem }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0;
  padding: .5rem 1rem }
summary { cursor: pointer } summary b { display: inline-block; width: 4.5rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top;
  padding: .25rem .5rem; border-bottom: 1px solid var(--line) }
"""


@cache
def _cached(text: str) -> str:
    made = json.loads(text)
    areas: dict[str, list[str]] = {}
    for path, calls in made["paths"].items():
        for method, call in calls.items():
            area = (call.get("tags") or ["other"])[0]
            areas.setdefault(area, []).append(_call(made, (method, path), call))
    links = "".join(f'<li><a href="#{escape(a)}">{escape(a)}</a></li>' for a in areas)
    body = "".join(
        f'<h2 id="{escape(area)}">{escape(area)}</h2>{"".join(calls)}'
        for area, calls in areas.items()
    )
    about = "".join(f"<p>{_prose(part)}</p>" for part in made["info"]["description"].split("\n\n"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>LeadPulse API</title><link rel="stylesheet" href="/api/docs/style.css"></head>'
        f"<body><h1>LeadPulse API {escape(made['info']['version'])}</h1>{about}"
        '<p>For programs: <a href="/api/openapi.json">openapi.json</a>.</p>'
        f"<nav><ul>{links}</ul></nav>{body}</body></html>"
    )


def page(document: dict[str, Any]) -> str:
    """The page of a description."""
    return _cached(json.dumps(document))


def _prose(text: str) -> str:
    """Text with `code` and **strong** parts."""
    parts = escape(text).split("`")
    marked = "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
    parts = marked.split("**")
    return "".join(f"<strong>{p}</strong>" if i % 2 else p for i, p in enumerate(parts))


def _call(made: dict[str, Any], where: tuple[str, str], call: dict[str, Any]) -> str:
    method, path = where
    parts = [f"<p>{_prose(part)}</p>" for part in call.get("description", "").split("\n\n")]
    if call.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td>"
            f"<td>{_prose(p.get('description', ''))}</td></tr>"
            for p in call["parameters"]
        )
        parts.append(f"<table><tr><th>parameter</th><th>in</th><th></th></tr>{rows}</table>")
    sent = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    if sent:
        parts += ["<h4>Sent</h4>", _schema(made, sent.get("schema", {}))]
    for status, response in sorted(call["responses"].items()):
        content = response.get("content", {})
        parts.append(f"<h4>{escape(status)} {_prose(response.get('description', ''))}</h4>")
        if "application/json" in content:
            parts.append(_schema(made, content["application/json"].get("schema", {})))
        for kind in content.values():
            codes = ", ".join(f"<code>{escape(code)}</code>" for code in kind.get("examples", {}))
            parts.append(f"<p>{codes}</p>" if codes else "")
    summary = f"<summary><b>{method.upper()}</b><code>{escape(path)}</code></summary>"
    return f"<details>{summary}{''.join(parts)}</details>"


def _schema(made: dict[str, Any], schema: dict[str, Any]) -> str:
    found = schema
    while "$ref" in found:
        found = made["components"]["schemas"][found["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in found:
        return "<p>or</p>".join(_schema(made, one) for one in found["anyOf"] if one)
    if "properties" not in found:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{'' if name in found.get('required', ()) else '?'}"
        f"</td><td><code>{escape(_kind(field))}</code></td>"
        f"<td>{_prose(field.get('description', ''))}</td></tr>"
        for name, field in found["properties"].items()
    )
    example = "".join(
        f"<pre>{escape(json.dumps(one, indent=2, ensure_ascii=False))}</pre>"
        for one in found.get("examples", [])
    )
    return f"<table>{rows}</table>{example}"


def _kind(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        return " | ".join(_kind(one) for one in field["anyOf"])
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"[{_kind(field.get('items', {}))}]"
    return str(field.get("const", field.get("format", field.get("type", "any"))))
