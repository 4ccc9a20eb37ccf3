"""Makes two answers comparable: takes out what must differ between two servers, and nothing else.

Addresses, times, tokens and the order of what has no order. All else is left as it was sent.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

TIMES = {"created", "modified", "last_modified"}
TOX_TIME = re.compile(r"\.toxresult-\d{14}-")
REPR = re.compile(r"<NormalizedName '[^']*' '([^']*)'>")
ALWAYS = ("content-type", "location", "www-authenticate", "x-devpi-api-version")


@dataclass
class Answer:
    status: int
    headers: dict
    body: object
    reason: str = None

    def lines(self):
        """The answer as text, a line for each thing that could differ."""
        status = f"{self.status}" if self.reason is None else f"{self.status} {self.reason}"
        headers = [f"{name}: {value}" for name, value in sorted(self.headers.items())]
        body = self.body if isinstance(self.body, str) else json.dumps(self.body, indent=1, sort_keys=True)
        return [status, *headers, "", *body.splitlines()]


def answer(reply, side, exchange):
    """What is compared of a reply."""
    if exchange.looks_at == "status":
        return Answer(reply.status_code, {}, "")
    if exchange.looks_at == "serial":
        return Answer(reply.status_code, {"serial": "raised" if side.has_changed else "not raised"}, "")
    headers = {}
    for name in (*ALWAYS, *exchange.compares):
        if name in reply.headers:
            headers[name] = text(reply.headers[name], side)
    if "content-type" in headers:
        headers["content-type"] = re.sub(r"; *charset=utf-8$", "", headers["content-type"], flags=re.I)
    reason = text(reply.reason, side) if exchange.with_reason else None
    return Answer(reply.status_code, headers, body(reply, side, exchange.looks_at), reason)


def body(reply, side, looks_at):
    kind = reply.headers.get("content-type", "").partition(";")[0]
    if reply.request.method == "HEAD":
        return ""
    if kind.endswith("json"):
        try:
            item = reply.json()
        except ValueError:
            return f"broken JSON: {reply.text}"
        if looks_at == "shape":
            return shape(item)
        return value(item if looks_at == "links" else _with_whole_urls(item, reply), side)
    if kind in ("text/html", "text_html"):
        return page(reply.text, side, _address(reply))
    if kind.startswith("text/"):
        return text(reply.text, side)
    digest = hashlib.sha256(reply.content).hexdigest()
    return f"{len(reply.content)} bytes, sha256={digest}" if reply.content else ""


def shape(item):
    """JSON with the types of its values in their place; a list is what its first item is."""
    if isinstance(item, dict):
        return {key: shape(inner) for key, inner in item.items()}
    if isinstance(item, list):
        return [shape(inner) for inner in item[:1]]
    return type(item).__name__


def _address(reply):
    """What links on a page start from: the address as the client of a proxy knows it."""
    outside = reply.request.headers.get("x-outside-url")
    return outside + reply.request.path_url if outside else reply.url


def _with_whole_urls(item, reply):
    if isinstance(item, dict) and isinstance(item.get("files"), list):
        for file in item["files"]:
            file["url"] = urljoin(_address(reply), file["url"])
    return item


def value(item, side, key=None):
    """A JSON value; `key` is the name it stands under."""
    if isinstance(item, dict):
        if "password" in item and "expiration" in item:
            item = {**item, "password": "TOKEN"}
        return {name: value(inner, side, name) for name, inner in item.items()}
    if isinstance(item, list):
        if key == "when":
            return "TIME" if len(item) == 6 and all(isinstance(part, int) for part in item) else item
        return [value(inner, side) for inner in item]
    if isinstance(item, str):
        return "TIME" if key in TIMES and re.search(r"\d\d:\d\d", item) else text(item, side)
    return item


def text(written, side):
    written = written.replace(side.url, "HOST").replace(side.url.removeprefix("http://"), "HOST")
    return REPR.sub(r"\1", TOX_TIME.sub(".toxresult-TIME-", written))


class _Page(HTMLParser):
    """What a reader of a page sees: titles, links and their attributes, text."""

    SHOWN = {"title", "h1", "h2", "a", "form", "input"}

    def __init__(self, address):
        super().__init__()
        self.address, self.lines = address, []

    def handle_starttag(self, tag, attrs):
        if tag in self.SHOWN:
            whole = [(name, urljoin(self.address, written) if name == "href" else written) for name, written in attrs]
            words = [f'{name}="{written}"' for name, written in sorted(whole)]
            self.lines.append(" ".join([f"<{tag}", *words]) + ">")

    def handle_data(self, data):
        if data.strip():
            self.lines.append(" ".join(data.split()))


def page(written, side, address):
    reader = _Page(address)
    reader.feed(written)
    return text("\n".join(reader.lines), side)
