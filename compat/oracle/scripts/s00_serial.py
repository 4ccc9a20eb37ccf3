"""Section 0.1: the serial is raised by each change, and by nothing else."""

from dataclasses import replace

from harness.dists import sdist, wheel
from oracle.exchange import delete, form, get, login, page, patch, people, post, put, upload
from oracle.scripts.s04_overwrites import HREF


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"),
        *[replace(exchange, looks_at="serial", with_reason=False) for exchange in (*changes(), *no_changes())],
    ]


def changes():
    return [
        get("/alice/dev"), put("/bob", {"password": "bob"}), patch("/bob", {"title": "B"}, by="root"),
        put("/alice/new", {}, by="alice"),
        patch("/alice/new", {"title": "x"}, by="alice"), patch("/alice/new", ["title=y"], by="alice"),
        upload("alice/dev", wheel("pkg", "1.0"), by="alice"), upload("alice/dev", sdist("pkg", "1.0"), by="alice"),
        upload("alice/dev", wheel("pkg", "1.0", payload=b"x"), by="alice"),
        form("alice/dev", {":action": "submit", "name": "empty", "version": "1"}, by="alice"),
        get("/alice/dev/pkg/1.0", saves={"file": HREF(0)}), post("/{file}", {"result": 1}),
        delete("/{file}", by="alice"),
        delete("/alice/dev/pkg/1.0", by="alice"), upload("alice/dev", wheel("pkg", "2.0"), by="alice"),
        delete("/alice/dev/pkg", by="alice"),
        delete("/alice/new", by="alice"), delete("/bob", by="root"),
    ]


def no_changes():
    return [
        login("alice", "alice"), login("alice", "wrong"), put("/alice", {"password": "x"}),
        put("/alice/dev", {}, by="alice"),
        put("/alice/other", {"bases": "no/such"}, by="alice"), patch("/alice/dev", {"volatile": "x"}, by="alice"),
        patch("/alice/dev", {"title": "x"}), delete("/alice/dev"), page("alice/dev", "nope"),
        upload("alice/dev", wheel("pkg", "3.0")), get("/"), get("/+api"),
        patch("/alice/dev", {"volatile": True}, by="alice"),
    ]
