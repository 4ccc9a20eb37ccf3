"""Section 5.1: releases are pushed from index to index."""

from harness.dists import sdist, wheel
from oracle.exchange import Exchange, form, get, page, people, push, put, upload


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"), sdist("far", "1.0"))
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/alice/prod", {"volatile": False, "acl_upload": "alice"}, by="alice"),
        put("/alice/stage", {"bases": "alice/dev"}, by="alice"), put("/bob/dev", {}, by="bob"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        upload(
            "alice/dev", wheel("My_Pkg", "1.0"), fields={"summary": "Sum", "classifiers": ["a", "b"]}, by="alice",
        ),
        upload("alice/dev", sdist("My_Pkg", "1.0"), by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.1"), by="alice"),
        form("alice/dev", {":action": "submit", "name": "empty", "version": "1"}, by="alice"),
        *pushed(), *refused(), *mirrored(),
    ]


def release(target, **more):
    return {"name": "my-pkg", "version": "1.0", "targetindex": target, **more}


def pushed():
    return [
        push("alice/dev", release("alice/prod"), by="alice"), get("/alice/prod/my-pkg/1.0"),
        page("alice/prod", "my-pkg"), get("/alice/prod"),
        push("alice/dev", release("alice/prod"), by="alice", note="again"), page("alice/prod", "my-pkg"),
        push("alice/dev", release("bob/dev"), by="bob"),
        push("alice/dev", release("bob/dev"), by="bob", note="again, volatile"), get("/bob/dev/my-pkg/1.0"),
        push("bob/dev", release("alice/stage"), by="alice", method="POST"), get("/alice/stage/my-pkg/1.0"),
        push("alice/dev", {**release("alice/prod"), "name": "My.Pkg", "version": "1.1"}, by="alice"),
        get("/alice/prod/my-pkg"),
        push("alice/dev/", {**release("bob/dev"), "version": "1.1", "no_docs": True}, by="bob"),
        push("alice/dev", release("bob/dev", only_docs=True), by="bob"),
        push("alice/dev", release("/bob/dev/"), by="bob"),
    ]


def refused():
    return [
        push("alice/dev", release("bob/dev"), by="alice"), push("alice/dev", release("bob/dev")),
        push("alice/dev", release("bob/dev"), basic=("bob", "wrong")),
        push("alice/dev", {**release("alice/prod"), "version": "9.0"}, by="alice"),
        push("alice/dev", {**release("alice/prod"), "name": "nope"}, by="alice"),
        push("alice/dev", {**release("alice/prod"), "name": "empty", "version": "1"}, by="alice"),
        push("alice/stage", {**release("alice/prod"), "version": "1.1"}, by="alice", note="only a base has it"),
        push("alice/dev", release("alice"), by="alice"), push("alice/dev", release("a/b/c"), by="alice"),
        push("alice/dev", release("alice/nope"), by="alice"),
        push("alice/dev", release("alice/prod", foo=1, bar=2), by="alice"),
        push("alice/dev", release("alice/prod", no_docs=True, only_docs=True), by="alice"),
        push("alice/dev", release("alice/mirror"), by="alice"),
        push("alice/nope", release("alice/prod"), by="alice"), push("alice/dev", release("alice/dev"), by="alice"),
        push("alice/dev", {"version": "1.0", "targetindex": "alice/prod"}, by="alice"),
        push("alice/dev", {"name": "my-pkg", "targetindex": "alice/prod"}, by="alice"),
        push("alice/dev", {}, by="alice"), push("alice/dev", ["x"], by="alice"),
        Exchange("PUSH", "/alice/dev", data="{", by="alice"),
        push("alice/dev", {**release("alice/prod"), "name": 5}, by="alice"),
        push("alice/dev", release(5), by="alice"),
        page("alice/prod", "my-pkg"),
    ]


def mirrored():
    far = {"name": "far", "version": "1.0", "targetindex": "alice/dev"}
    return [
        push("alice/mirror", far, by="alice"), page("alice/dev", "far"), get("/alice/dev/far/1.0"),
        push("alice/mirror", {**far, "version": "9"}, by="alice"),
        push("alice/mirror", {**far, "name": "nope"}, by="alice"),
    ]
