"""Section 5.2: releases are pushed to another server."""

from harness.dists import sdist, wheel
from oracle.exchange import Step, differing, people, push, put, upload
from oracle.receiver import Receiver
from oracle.scripts.s06_docs import doc_upload, docs


def exchanges(upstream):
    receiver = Receiver()
    target = {"name": "pkg", "version": "1.0", "posturl": receiver.url, "username": "them", "password": "secret"}
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"),
        upload("alice/dev", wheel("pkg", "1.0"), by="alice"),
        doc_upload("alice/dev", docs("pkg", "1.0"), fields={"name": "pkg"}, by="alice"),
        upload("alice/dev", sdist("pkg", "1.0"), by="alice"),
        push("alice/dev", target, by="alice"), receiver.compare(),
        push("alice/dev", {**target, "register_project": True}, by="alice"), receiver.compare(),
        push("alice/dev", {**target, "no_docs": True}, by="alice"), receiver.compare(),
        push("alice/dev", {**target, "only_docs": True}, by="alice"), receiver.compare(),
        push("alice/dev", {**target, "version": "9"}, by="alice"),
        *differing("bad-input", (400, "additional options"), push("alice/dev", {**target, "extra": 1}, by="alice")),
        Step("the other server refuses", lambda stage: receiver.answers(403, "no")),
        *differing("outside-refusals", (502, '"no"'), push("alice/dev", target, by="alice")),
        Step("the other server has it", lambda stage: receiver.forget() or receiver.answers(409, "exists")),
        *differing("outside-refusals", (502, '"exists"'), push("alice/dev", target, by="alice")), receiver.compare(),
        Step("the other server agrees", lambda stage: receiver.answers(201, "")),
        push("alice/dev", target, by="alice"), receiver.compare(),
        *differing("outside-login", 401, push("alice/dev", target)),
        *differing(
            "bad-input", 400,
            push("alice/dev", {key: target[key] for key in ("name", "version", "posturl")}, by="alice"),
            push("alice/dev", {"name": "pkg", "version": "1.0", "username": "x", "password": "y"}, by="alice"),
            push("alice/dev", {**target, "posturl": "ftp://x/"}, by="alice"),
            push("alice/dev", {**target, "posturl": 5}, by="alice"),
        ),
        *differing(
            "outside-failures", (502, "cannot be reached"),
            push("alice/dev", {**target, "posturl": "http://127.0.0.1:9/"}, by="alice"),
        ),
    ]
