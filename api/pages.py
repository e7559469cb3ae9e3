"""The pages for people: the API described and the problems explained, in HTML that needs no other address."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

import orjson
from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse

from api.problems import PROBLEMS

STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:58rem;margin:0 auto;padding:1.5rem}
h1,h2,h3{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:var(--soft);padding:.75rem;overflow-x:auto}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.4rem .7rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:3.5rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top}
th,td{border-bottom:1px solid var(--line);padding:.25rem .5rem}
nav a{margin-right:1rem}.soft{opacity:.75}
""".strip()
_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False})


def html(title: str, *parts: str) -> HTMLResponse:
    """A whole page made of these parts, which are HTML already."""
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    )
    nav = '<nav><a href="/">API</a><a href="/problems">Problems</a><a href="/openapi.json">OpenAPI</a></nav>'
    content = f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{nav}'
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return HTMLResponse(content + "".join(parts) + "</body></html>", headers=headers)


def api_page(document: Mapping[str, Any], types: Iterable[str], postable: Iterable[str]) -> HTMLResponse:
    """The API's description, made from its OpenAPI document."""
    info = document["info"]
    parts = [f"<h1>{escape(info['title'])} <span class='soft'>{escape(info['version'])}</span></h1>"]
    parts.append(_MARKDOWN.render(info["description"]))
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'].capitalize())}</h2><p>{escape(tag['description'])}</p>")
        parts += [_operation(document, *one) for one in _operations(document, tag["name"])]
    return html("Amends API", *parts, _types(types, frozenset(postable)))


def problems_page() -> HTMLResponse:
    """The list of all problems."""
    rows = (
        f'<tr><td><a href="/problems/{slug}"><code>{slug}</code></a></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}</td></tr>"
        for slug, kind in PROBLEMS.items()
    )
    table = f"<table><tr><th>slug</th><th>status</th><th>title</th></tr>{''.join(rows)}</table>"
    return html("Problems", "<h1>Problems</h1>", table)


def _operations(document: Mapping[str, Any], tag: str) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation.get("tags", ()):
                yield method, path, operation


def _operation(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> str:
    scopes = [scope for one in operation.get("security", ()) for some in one.values() for scope in some]
    scope = f"<p>Scope: <code>{escape(', '.join(scopes))}</code></p>" if scopes else ""
    summary = (
        f"<summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
    )
    told = _MARKDOWN.render(operation.get("description", ""))
    body = _bodies(document, operation.get("requestBody", {}).get("content", {}))
    return f"<details>{summary}{told}{scope}{_parameters(operation)}{body}</details>"


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{one['in']}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", ())
    )
    return f"<h3>Parameters</h3><table>{rows}</table>" if rows else ""


def _bodies(document: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    parts = []
    for media_type, one in content.items():
        parts.append(f"<h3>Body <code>{escape(media_type)}</code></h3>{_fields(document, one['schema'])}")
        if "example" in one:
            parts.append(f"<pre>{escape(orjson.dumps(one['example'], option=orjson.OPT_INDENT_2).decode())}</pre>")
    return "".join(parts)


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    schema = _resolved(document, schema)
    required = frozenset(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{' *' if name in required else ''}</td>"
        f"<td>{escape(_kind(document, one))}</td><td>{escape(one.get('description', ''))}</td></tr>"
        for name, one in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The type of a field in few words."""
    schema = _resolved(document, schema)
    if "anyOf" in schema:
        kinds = (_kind(document, one) for one in schema["anyOf"] if one.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "object":
        kind = str(schema.get("title", kind))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _types(types: Iterable[str], postable: frozenset[str]) -> str:
    rows = "".join(
        f'<tr><td><a href="/v1/schemas/{escape(one)}"><code>{escape(one)}</code></a></td>'
        + (f'<td><a href="/v1/schemas/{escape(one)}?as=command">body</a></td>' if one in postable else "<td></td>")
        + "</tr>"
        for one in types
    )
    return f"<h2>Event types</h2><p>Those with a body can be posted.</p><table>{rows}</table>"
