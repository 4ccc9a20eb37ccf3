"""Sections 8.1 and 8.2: which indexes take part, in which order, and whose file wins."""

from harness.dists import sdist, wheel
from oracle.exchange import SIMPLE_JSON, delete, differing, get, page, patch, people, put, upload

OPEN = {"mirror_whitelist": "*"}
HOLDERS = ("d0", "d1", "e1")


def exchanges(upstream):
    upstream.add(wheel("pkg", "0.1"), wheel("pkg", "1.0"), wheel("far", "1.0"))
    mirror = {"type": "mirror", "mirror_url": upstream.url}
    stages = {
        "d0": [], "d1": ["alice/d0"], "d2": ["alice/d0"], "d3": ["alice/d1", "alice/d2"], "e1": ["alice/mirror"],
        "e2": ["alice/mirror2", "alice/e1", "alice/d0"],
        "self": [], "c1": [], "c2": ["alice/c1"],
    }
    return [
        *people("alice"),
        *[put(f"/alice/{name}", mirror, by="alice") for name in ("mirror", "mirror2")],
        *[put(f"/alice/{name}", {"bases": bases, **OPEN}, by="alice") for name, bases in stages.items()],
        *[upload(f"alice/{name}", wheel("pkg", "1.0", payload=name.encode()), by="alice") for name in HOLDERS],
        upload("alice/d0", sdist("pkg", "2.0"), by="alice"),
        upload("alice/d2", sdist("pkg", "2.0", summary="d2"), by="alice"),
        upload("alice/d2", wheel("only", "1.0"), by="alice"), upload("alice/c1", wheel("round", "1.0"), by="alice"),
        *views(), *cycles(), *missing(),
    ]


def views():
    return [
        *[page(f"alice/{index}", "pkg") for index in ("d0", "d1", "d2", "d3", "e1", "e2")],
        *[get(f"/alice/{index}/pkg{version}") for index in ("d0", "d1", "d2", "e1", "e2") for version in ("", "/1.0")],
        get("/alice/d3/only"),
        *differing(
            "bases-once", (200, "+shadowing"), get("/alice/d3/pkg"), get("/alice/d3/pkg/1.0"),
            get("/alice/d3/pkg/2.0"),
        ),
        *[get(f"/alice/{index}/+simple/", accept=kind) for index in ("d1", "d3") for kind in (SIMPLE_JSON,
            "text/html")],
        *differing(
            "mirror-lists", (200, "pkg"), get("/alice/e2/+simple/", accept=SIMPLE_JSON),
            get("/alice/e2/+simple/", accept="text/html"),
        ),
        page("alice/e2", "far"), get("/alice/d3"),
    ]


def cycles():
    return [
        patch("/alice/c1", {"bases": ["alice/c2"]}, by="alice", note="a cycle"), get("/alice/c1"),
        page("alice/c1", "round"), page("alice/c2", "round"), get("/alice/c2/round"),
        get("/alice/c2/+simple/", accept=SIMPLE_JSON), 
        *differing("no-self-base", 400, patch("/alice/self", {"bases": ["alice/self"]}, by="alice")),
        page("alice/self", "nope"),
    ]


def missing():
    return [
        delete("/alice/d1", by="alice"), page("alice/d3", "pkg"), get("/alice/d3/pkg"),
        delete("/alice/mirror", by="alice"), page("alice/e2", "far"), page("alice/e1", "far"),
        put("/alice/d1", {}, by="alice"), page("alice/d3", "pkg"),
        upload("alice/d1", wheel("pkg", "5.0"), by="alice"), page("alice/d3", "pkg"),
    ]
