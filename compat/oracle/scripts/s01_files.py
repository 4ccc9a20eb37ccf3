"""Section 1.11: files, their headers, their metadata, and those that are gone."""

from harness.dists import Dist, sdist, wheel
from oracle.exchange import delete, differing, get, head, page, people, put, upload
from oracle.scripts.s04_overwrites import HREF
from oracle.scripts.s07_mirrors import until_stored

SHOWN = ("cache-control", "content-length", "content-disposition", "content-encoding")


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"), sdist("far", "1.0"))
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        upload("alice/dev", wheel("pkg", "1.0"), by="alice"), upload("alice/dev", sdist("pkg", "1.0"), by="alice"),
        upload("alice/dev", Dist("pkg-1.0.zip", wheel("pkg", "1.0").content), by="alice"),
        upload("alice/dev", Dist("pkg-1.0.tgz", sdist("pkg", "1.0").content), by="alice"),
        get("/alice/dev/pkg/1.0", saves={"wheel": HREF(0), "sdist": HREF(1), "zip": HREF(2), "tgz": HREF(3)}),
        *stored(), *unknown(), *mirrored(upstream), *gone(),
    ]


def stored():
    accepts = ("application/json", "text/html;q=0.5, application/json", "application/*",
               "application/vnd.pypi.simple.v1+json", "text/html", "*/*")
    return [
        *[get(f"/{{{name}}}", accept=None, compares=SHOWN) for name in ("wheel", "sdist", "zip", "tgz")],
        *[head(f"/{{{name}}}", accept=None, compares=SHOWN) for name in ("wheel", "sdist")],
        *[get("/{wheel}", accept=accept, note=accept) for accept in accepts], head("/{wheel}"),
        *differing("preferred-type", 200, get("/{wheel}", accept="application/json, text/html")),
        *differing(
            "sidecars", (200, "Metadata-Version: 2.1"), get("/{wheel}.metadata"),
            get("/{wheel}.metadata", accept=None),
        ),
        get("/{sdist}.metadata", looks_at="status"),
        get("/{wheel}", accept=None, basic=("alice", "wrong")), get("/{wheel}", accept=None, by="bob"),
        get("/{wheel}?x=1", accept=None), get("/{wheel}%23sha256=abc", accept=None),
        get("/{wheel}.asc"), get("/{wheel}/"),
        get("/{wheel}", accept=None, headers={"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
    ]


def unknown():
    return [
        get(path, accept=accept) for accept in ("application/json", None) for path in (
            "/alice/dev/+f/000/0000000000000/pkg-1.0.tar.gz", "/alice/dev/+f/x", "/alice/dev/+e/x/y.zip",
            "/alice/nope/+f/000/0000000000000/pkg-1.0.tar.gz", "/alice/top/+f/000/0000000000000/pkg-1.0.tar.gz",
            "/alice/dev/+f/000/0000000000000/..%2Fpkg-1.0.tar.gz",
        )
    ]


def mirrored(upstream):
    first = lambda reply: reply.json()["files"][0]["url"].replace("../../", "alice/mirror/")  # noqa: E731
    second = lambda reply: reply.json()["files"][1]["url"].replace("../../", "alice/mirror/")  # noqa: E731
    return [
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        page("alice/mirror", "far", saves={"cold": first, "other": second}),
        get("/{cold}", note="not cached yet"), get("/{cold}", accept=None),
        until_stored("cold"), get("/{cold}", accept=None, note="cached"), get("/{cold}", note="cached"),
        head("/{cold}", accept=None, note="cached"),
        *differing(
            "types-by-name", 200, head("/{other}", accept=None, note="not cached yet"),
            get("/{other}", accept=None),
        ),
        get("/{other}", accept=None, note="cached"),
        get("/alice/mirror/+f/000/0000000000000/far-1.0.tar.gz"),
        get("/alice/mirror/+f/000/0000000000000/nope-1.0.tar.gz"),
        *differing("sidecars", (200, "Metadata-Version: 2.1"), get("/{cold}.metadata")),
    ]


def gone():
    return [
        delete("/{zip}", by="alice"), get("/{zip}"), get("/{zip}", accept=None), head("/{zip}", accept=None),
        delete("/{zip}", by="alice"),
        page("alice/dev", "pkg"), upload("alice/dev", Dist("pkg-1.0.zip", wheel("pkg", "1.0").content), by="alice"),
        get("/{zip}", accept=None),
        delete("/alice/dev/pkg/1.0", by="alice"), get("/{wheel}"), get("/{sdist}", accept=None),
        page("alice/dev", "pkg"), get("/alice/dev"),
        delete("/alice/dev", by="alice"), get("/{wheel}"), put("/alice/dev", {}, by="alice"), get("/{wheel}"),
        get("/{wheel}", accept=None),
        upload("alice/dev", wheel("pkg", "1.0"), by="alice"), get("/{wheel}", accept=None),
    ]
