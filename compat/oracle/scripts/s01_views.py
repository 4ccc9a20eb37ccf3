"""Sections 1.7 to 1.10: projects, releases and pages, own and inherited."""

from harness.dists import sdist, wheel
from oracle.exchange import PIP, SIMPLE_JSON, form, get, head, page, people, put, upload

INDEXES = ("dev", "base", "mirror")
PIP_AGENT = {"user-agent": PIP}


def exchanges(upstream):
    upstream.add(wheel("pkg", "0.9"), sdist("pkg", "1.0"), wheel("far", "3.0"))
    return [
        *people("alice", "bob"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        put("/alice/base", {}, by="alice"),
        put(
            "/alice/dev", {"bases": ["alice/base", "alice/mirror"], "mirror_whitelist": "*", "title": "Dev"},
            by="alice",
        ),
        upload("alice/base", wheel("pkg", "1.0", payload=b"base"), by="alice"),
        upload("alice/base", sdist("pkg", "0.5"), by="alice"),
        upload("alice/base", wheel("inherited", "2.0"), by="alice"),
        upload("alice/dev", wheel("pkg", "1.0", payload=b"dev"), by="alice"),
        upload("alice/dev", sdist("pkg", "1.0"), by="alice"),
        upload("alice/dev", wheel("Own.Name", "1.0rc1"), by="alice"),
        upload("alice/dev", sdist("Own.Name", "1.0"), by="alice"),
        form("alice/dev", {":action": "submit", "name": "empty", "version": "0.1"}, by="alice"),
        *indexes(), *projects(), *releases(), *lists(), *pages(),
    ]


def indexes():
    return [
        get("/"), get("/alice"),
        *[get(f"/alice/{index}{query}") for index in INDEXES for query in ("?no_projects=", "?no_projects")],
        get("/alice/dev"), get("/alice/base"), get("/alice/mirror", differs="mirror-lists", larder=(200,
            '"projects": []')),
        get("/alice/nope"), get("/nobody/nope"), get("/alice/dev?no_projects=", by="alice"),
        get("/alice/dev?ignored=1"),
    ]


def projects():
    names = ("pkg", "own-name", "inherited", "far", "empty", "nope")
    return [
        *[get(f"/alice/dev/{name}{query}") for name in names for query in ("", "?ignore_bases", "?ignore_bases=")],
        get("/alice/base/pkg"), get("/alice/mirror/pkg"), get("/alice/mirror/far?ignore_bases="),
        get("/alice/mirror/nope"),
        get("/alice/nope/pkg"), get("/alice/dev/pkg", by="bob"),
    ]


def releases():
    paths = (
        "dev/pkg/1.0", "dev/pkg/0.9", "dev/pkg/0.5", "dev/pkg/9.9", "dev/own-name/1.0", "dev/own-name/1.0rc1",
        "dev/inherited/2.0",
        "dev/far/3.0", "dev/empty/0.1", "dev/nope/1.0", "base/pkg/1.0", "mirror/pkg/1.0", "mirror/far/3.0",
        "mirror/pkg/5.0", "nope/pkg/1.0",
        "dev/pkg/latest", "dev/pkg/stable", "dev/pkg/1.0?ignore_bases=", "dev/inherited/2.0?ignore_bases=",
    )
    return [get(f"/alice/{path}") for path in paths]


def lists():
    return [
        *[get(f"/alice/{index}/+simple/", accept=SIMPLE_JSON) for index in ("dev", "base", "mirror")],
        *[get(f"/alice/{index}/+simple/", accept="text/html") for index in ("dev", "base", "mirror")],
        *[get(f"/alice/{index}/+simple/", accept=None, headers=PIP_AGENT) for index in ("dev", "base", "mirror")],
        get("/alice/dev", accept=SIMPLE_JSON),
        get("/alice/dev", accept=None, headers=PIP_AGENT, differs="list-has-an-address", larder=302),
    ]


def pages():
    names = ("pkg", "own-name", "inherited", "far", "empty", "nope")
    return [
        *[page("alice/dev", name) for name in names], page("alice/mirror", "pkg"), page("alice/base", "pkg"),
        page("alice/mirror", "nope"),
        *[get(f"/alice/dev/+simple/{name}/", accept="text/html") for name in names],
        *[get(f"/alice/dev/+simple/{name}/", accept=None, headers=PIP_AGENT) for name in names],
        get("/alice/mirror/+simple/pkg/", accept="text/html"),
        get("/alice/dev/pkg", accept=None, headers=PIP_AGENT),
        get("/alice/dev/pkg/", accept=None, headers=PIP_AGENT),
        get("/alice/dev/pkg", accept=SIMPLE_JSON, differs="json-for-all", larder=(200, '"files"')),
        head("/alice/dev/+simple/pkg/"),
        page("alice/dev", "pkg", by="bob"), page("alice/dev", "pkg", basic=("x", "y")),
    ]
