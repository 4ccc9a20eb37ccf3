"""Sections 5.1 and 6: what a push does with test results and documentation."""

from harness.dists import sdist, wheel
from oracle.exchange import differing, get, page, people, post, push, put, upload
from oracle.scripts.s04_overwrites import HREF
from oracle.scripts.s06_docs import doc_upload, docs
from oracle.scripts.s06_toxresults import RESULT


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/prod", {"volatile": False}, by="alice"),
        put("/alice/stage", {}, by="alice"), upload("alice/dev", wheel("My_Pkg", "1.0"), by="alice"),
        upload("alice/dev", sdist("My_Pkg", "1.0"), by="alice"),
        upload("alice/dev", wheel("My_Pkg", "3.0"), by="alice"),
        get("/alice/dev/my-pkg/1.0", saves={"wheel": HREF(0)}), post("/{wheel}", RESULT),
        post("/{wheel}", {"other": 1}),
        doc_upload("alice/dev", docs("My_Pkg", "1.0"), by="alice"),
        doc_upload("alice/dev", docs("My_Pkg", "2.0"), version="2.0", by="alice"),
        *pushed(),
    ]


def pushed():
    def release(target, version="1.0", **more):
        return {"name": "my-pkg", "version": version, "targetindex": f"alice/{target}", **more}

    return [
        push("alice/dev", release("stage"), by="alice"), get("/alice/stage/my-pkg/1.0"),
        page("alice/stage", "my-pkg"),
        push("alice/dev", release("stage"), by="alice", note="again"),
        *differing("identical", 200, get("/alice/stage/my-pkg/1.0")),
        push("alice/dev", release("prod", no_docs=True), by="alice"), get("/alice/prod/my-pkg/1.0"),
        push("alice/dev", release("prod", only_docs=True), by="alice"), get("/alice/prod/my-pkg/1.0"),
        *differing("identical", 200, push("alice/dev", release("prod", only_docs=True), by="alice", note="again")),
        get("/alice/prod/my-pkg/1.0"),
        push("alice/dev", release("prod", "3.0", only_docs=True), by="alice"),
        push("alice/dev", release("prod", "2.0"), by="alice"),
        get("/alice/prod/my-pkg/2.0"), push("alice/dev", release("prod", "2.0", no_docs=True), by="alice"),
        push("alice/dev", release("prod", "3.0"), by="alice"), get("/alice/prod/my-pkg"), get("/alice/prod"),
    ]
