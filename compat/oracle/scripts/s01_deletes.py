"""Sections 1.12 and 1.13: what may be deleted, what goes with it, and refreshes."""

from harness.dists import sdist, wheel
from oracle.exchange import SIMPLE_JSON, Step, delete, differing, form, get, page, patch, people, post, put, upload
from oracle.scripts.s04_overwrites import HREF

MORE = wheel("more", "1.0")


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"), sdist("far", "1.1"))
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/alice/final", {"volatile": False}, by="alice"),
        put("/alice/top", {"bases": "alice/dev"}, by="alice"),
        *[upload(f"alice/{index}", dist, by="alice") for index in ("dev", "final")
          for dist in (wheel("pkg", "1.0"), sdist("pkg", "1.0"), wheel("pkg", "1.1"), wheel("pkg", "2.0"), MORE)],
        *volatile(), *final(), *last_files(), *inherited(), *refreshes(upstream),
    ]


def volatile():
    return [
        get("/alice/dev/pkg/1.0", saves={"file": HREF(0), "second": HREF(1)}),
        delete("/{file}"), delete("/{file}", by="bob"), delete("/{file}", by="alice"),
        delete("/{file}", by="alice"), get("/{file}"),
        get("/alice/dev/pkg/1.0"), page("alice/dev", "pkg"),
        delete("/{second}", by="alice", note="the last of 1.0"),
        get("/alice/dev/pkg/1.0"), get("/alice/dev/pkg"),
        delete("/alice/dev/+f/000/0000000000000/x-1.0.zip", by="alice"),
        delete("/alice/dev/pkg/9.9", by="alice"), delete("/alice/dev/nope/1.0", by="alice"),
        delete("/alice/dev/nope", by="alice"),
        delete("/alice/dev/PKG/1.1", by="alice"), get("/alice/dev/pkg"),
        delete("/alice/dev/pkg/2.0/", by="alice", note="the last"), get("/alice/dev/pkg"),
        page("alice/dev", "pkg"), get("/alice/dev"), upload("alice/dev", wheel("pkg", "3.0"), by="alice"),
        upload("alice/dev", wheel("pkg", "3.1"), by="alice"),
        delete("/alice/dev/Pkg", by="alice"), get("/alice/dev/pkg"), delete("/alice/dev/more/", by="root"),
        get("/alice/dev"),
        form("alice/dev", {":action": "submit", "name": "empty", "version": "1"}, by="alice"),
        delete("/alice/dev/empty/1", by="alice"), get("/alice/dev/empty"),
        upload("alice/dev", wheel("pkg", "1.0"), by="alice"), get("/{file}", accept=None), page("alice/dev", "pkg"),
    ]


def final():
    return [
        get("/alice/final/pkg/1.0", saves={"kept": HREF(0)}),
        delete("/{kept}", by="alice"), delete("/alice/final/pkg/1.0", by="alice"),
        delete("/alice/final/pkg", by="alice"), delete("/alice/final", by="alice"),
        delete("/alice/final?force", by="alice"), get("/alice/final/pkg"), delete("/{kept}?force", by="bob"),
        delete("/{kept}?force", by="alice"),
        get("/alice/final/pkg/1.0"), delete("/alice/final/pkg/1.0?force=", by="alice"),
        *differing(
            "missing-first", 404, delete("/alice/final/pkg/9.9", by="alice"),
            delete("/alice/final/nope", by="alice"),
        ),
        delete("/alice/final/pkg?force=yes", by="alice"), get("/alice/final"),
        *differing(
            "freed-names", (409, "was deleted from this non-volatile index"),
            upload("alice/final", wheel("pkg", "1.0"), by="alice", note="the same bytes again"),
        ),
        delete("/alice", by="alice"), patch("/alice/final", {"volatile": True}, by="alice"),
        delete("/alice/final/more/1.0", by="alice"), delete("/alice/final", by="bob"),
        delete("/alice/final", by="alice"), get("/alice/final"), get("/{kept}"),
    ]


def last_files():
    """With the last file goes the release, with the last release the project."""
    return [
        put("/alice/last", {}, by="alice"), upload("alice/last", wheel("pkg", "1.0"), by="alice"),
        get("/alice/last/pkg/1.0", saves={"only": HREF(0)}), delete("/{only}", by="alice", note="the only file"),
        get("/alice/last"), get("/alice/last/pkg"), get("/alice/last/pkg/1.0"), page("alice/last", "pkg"),
        form("alice/last", {":action": "submit", "name": "pkg", "version": "2"}, by="alice"),
        upload("alice/last", wheel("pkg", "1.0"), by="alice"),
        delete("/{only}", by="alice", note="2 is registered"), get("/alice/last"), get("/alice/last/pkg"),
    ]


def inherited():
    return [
        page("alice/top", "pkg"), delete("/alice/top/pkg", by="alice"), delete("/alice/top/pkg/1.0", by="alice"),
        delete("/alice/top/pkg/1.0?force", by="alice"),
        page("alice/dev", "pkg"), delete("/alice/dev", by="alice"), get("/alice/top"), page("alice/top", "pkg"),
        get("/alice/top/pkg"),
    ]


def refreshes(upstream):
    return [
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        put("/alice/dev", {"bases": "alice/mirror"}, by="alice"),
        page("alice/dev", "far"),
        Step("a new file upstream", lambda stage: stage.upstream.add(wheel("far", "2.0"))),
        page("alice/dev", "far"),
        post("/alice/dev/+simple/far/refresh"), page("alice/dev", "far"),
        post("/alice/mirror/+simple/far/refresh", accept="text/html"),
        post("/alice/mirror/+simple/Far/refresh"), post("/alice/nope/+simple/pkg/refresh"),
        *differing("methods", 405, get("/alice/mirror/+simple/far/refresh")),
        *differing(
            "refresh", 302, *[post(f"/alice/{index}/+simple/nope/refresh") for index in ("mirror", "dev", "top")],
        ),
        delete("/alice/mirror/far/1.0", by="alice"), page("alice/mirror", "far"),
        delete("/alice/mirror/far/9.9", by="alice"), delete("/alice/mirror/nope/1.0", by="alice"),
        delete("/alice/mirror/far", by="alice"), page("alice/mirror", "far"),
        delete("/alice/mirror/nope", by="alice"), delete("/alice/mirror", by="alice"),
        get("/alice/dev"), page("alice/dev", "far"), get("/alice/dev/+simple/", accept=SIMPLE_JSON),
    ]
