"""Section 2.6 with --restrict-modify: only those it names change users and indexes."""

from harness.dists import wheel
from oracle.exchange import delete, get, login, page, patch, put, upload

OPTIONS = ["--restrict-modify", "root,boss"]


def exchanges(upstream):
    return [
        put("/alice", {"password": "alice"}), put("/alice", {"password": "alice"}, by="root"),
        login("alice", "alice"),
        put("/boss", {"password": "boss"}, by="root"), login("boss", "boss"),
        put("/bob", {"password": "bob"}, by="boss"), login("bob", "bob"),
        put("/carol", {"password": "carol"}, by="alice"), login("carol", "carol"),
        put("/alice/dev", {}, by="alice"), put("/alice/dev", {}, by="boss"), get("/alice/dev"),
        patch("/alice/dev", {"title": "x"}, by="alice"), patch("/alice/dev", {"title": "x"}, by="boss"),
        patch("/alice/dev", ["title=y"], by="alice"), patch("/alice/dev", ["title=y"], by="root"),
        patch("/alice", {"title": "x"}, by="alice"), patch("/alice", {"password": "new"}, by="alice"),
        login("alice", "new"),
        patch("/alice", {"password": "new", "title": "x"}, by="alice"), patch("/alice", {"title": "x"}, by="boss"),
        patch("/alice", {"password": "newer"}, by="boss"), login("alice", "newer"),
        patch("/alice", {"password": "x"}, by="bob"),
        upload("alice/dev", wheel("mine", "1.0"), by="alice"), upload("alice/dev", wheel("mine", "1.1"), by="boss"),
        delete("/alice/dev/mine/1.0", by="bob"), delete("/alice/dev/mine/1.0", by="boss"),
        upload("alice/dev", wheel("mine", "1.2"), by="alice"), delete("/alice/dev/mine/1.2", by="alice"),
        page("alice/dev", "mine"),
        delete("/alice/dev", by="alice"), delete("/alice/dev", by="boss"), get("/alice/dev"),
        delete("/alice", by="alice"), delete("/alice", by="bob"), delete("/boss", by="boss"),
        delete("/root", by="root"),
        delete("/alice", by="boss"), delete("/bob", by="root"), get("/"),
        delete("/root", by="boss", differs="root-stays", larder=403),
    ]
