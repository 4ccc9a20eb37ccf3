"""Section 5.1: releases are pushed from index to index."""

from harness.dists import sdist, wheel
from oracle.exchange import Exchange, differing, form, get, page, people, push, put, upload


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"), sdist("far", "1.0"))
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        put("/alice/stage", {"bases": "alice/dev"}, by="alice"),
        put("/alice/prod", {"volatile": False, "acl_upload": "alice"}, by="alice"), put("/bob/dev", {}, by="bob"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        put("/bob/far", {}, by="bob"),
        upload("alice/dev", wheel("My_Pkg", "1.0", requires=["one", "two>1"]), by="alice"),
        upload("alice/dev", sdist("My_Pkg", "1.0"), by="alice"),
        upload("alice/dev", wheel("My_Pkg", "1.1"), by="alice"),
        form("alice/dev", {":action": "submit", "name": "empty", "version": "1"}, by="alice"),
        *pushed(), *refused(), *unusable(), *mirrored(),
    ]


def release(target, **more):
    return {"name": "my-pkg", "version": "1.0", "targetindex": target, **more}


def pushed():
    named = release("alice/prod", name="My.Pkg", version="1.1")
    return [
        get("/alice/dev/my-pkg/1.0"), push("alice/dev", release("alice/prod"), by="alice"),
        get("/alice/prod/my-pkg/1.0"),
        page("alice/prod", "my-pkg"), get("/alice/prod"),
        *differing(
            "identical", (200, "actionlog"), push("alice/dev", release("alice/prod"), by="alice", note="again"),
        ),
        get("/alice/prod/my-pkg/1.0"), push("alice/dev", release("bob/dev"), by="bob"), get("/bob/dev/my-pkg/1.0"),
        push("bob/dev", release("alice/stage"), by="alice", method="POST"), get("/alice/stage/my-pkg/1.0"),
        push("alice/dev", named, by="alice"), get("/alice/prod/my-pkg"),
        push("alice/dev/", release("bob/dev", version="1.1", no_docs=True), by="bob"), page("bob/dev", "my-pkg"),
        push("alice/dev", release("bob/dev", only_docs=True), by="bob"),
        push("alice/dev", release("bob/dev"), by="bob", note="again, volatile"), page("bob/dev", "my-pkg"),
        *differing("identical", 200, get("/bob/dev/my-pkg/1.0")),
        upload("alice/dev", wheel("My_Pkg", "1.0", payload=b"other"), by="alice"),
        *differing(
            "own-words", (409, "already exists in non-volatile index"),
            push("alice/dev", release("alice/prod"), by="alice", note="other bytes"),
        ),
        page("alice/prod", "my-pkg"),
        push("alice/dev", release("bob/dev"), by="bob", note="other bytes, volatile"), page("bob/dev", "my-pkg"),
    ]


def refused():
    def pushes(*bodies):
        return [push("alice/dev", body, by="alice") for body in bodies]

    return [
        *pushes(
            release("bob/dev"), release("/bob/dev/"), release("alice"), release("a/b/c"), release("alice/nope"),
            release("alice/mirror"),
            release("alice/prod", version="9.0"), release("alice/prod", name="nope"),
            release("alice/prod", name="empty", version="1"),
            release("alice/prod", foo=1, bar=2), release("alice/prod", no_docs=True, only_docs=True),
        ),
        push("alice/stage", release("alice/prod", version="1.1"), by="alice", note="only a base has it"),
        push("alice/nope", release("alice/prod"), by="alice"), page("alice/prod", "my-pkg"),
        *differing("own-words", (401, "cannot upload to 'bob/dev'"), push("alice/dev", release("bob/dev"))),
        *differing(
            "stale-credentials", (401, "log in again"),
            push("alice/dev", release("bob/dev"), basic=("bob", "wrong")),
        ),
    ]


def unusable():
    bodies = (
        {}, ["x"], {"version": "1.0", "targetindex": "alice/prod"}, {"name": "my-pkg", "targetindex": "alice/prod"},
        release("alice/prod", name=5), release(5),
    )
    json = {"content-type": "application/json"}
    return [
        *differing("bad-input", 400, *[push("alice/dev", body, by="alice") for body in bodies]),
        *differing(
            "bad-input", 400, push("bob/dev", release("bob/dev", version="1.1"), by="bob", note="to itself"),
        ),
        Exchange("PUSH", "/alice/dev", data="{", by="alice", headers=json),
        *differing("json-says-so", 415, Exchange("PUSH", "/alice/dev", data="{", by="alice")),
        page("alice/prod", "my-pkg"),
    ]


def mirrored():
    far = {"name": "far", "version": "1.0", "targetindex": "bob/far"}
    return [
        push("alice/mirror", far, by="bob"), get("/bob/far"), *differing("inside-counts", 200, page("bob/far", "far")),
        *differing("inside-counts", (200, '"metadata_version": "2.1"'), get("/bob/far/far/1.0")),
        push("alice/mirror", {**far, "version": "9"}, by="bob"),
        *differing(
            "bad-input", (400, "there are no files"), push("alice/mirror", {**far, "name": "nope"}, by="bob"),
        ),
    ]
