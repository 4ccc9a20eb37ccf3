"""Section 6.1: test results of release files."""

from harness.dists import sdist, wheel
from oracle.exchange import Exchange, delete, get, head, page, patch, people, post, push, put, upload
from oracle.scripts.s04_overwrites import HREF

RESULT = {"reportversion": "1", "testenvs": {"py311": {"test": [{"command": ["x"], "output": "ok", "retcode": "0"}]}}}


def stored(reply):
    return reply.json()["result"].partition("#")[0]


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"))
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"), put("/alice/prod", {}, by="alice"),
        put("/alice/closed", {"acl_toxresult_upload": ["alice"], "volatile": False}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[upload(f"alice/{index}", dist, by="alice") for index in ("dev", "closed") for dist in (wheel("pkg", "1.0"), sdist("pkg", "1.0"))],
        get("/alice/dev/pkg/1.0", saves={"wheel": HREF(0), "sdist": HREF(1)}), get("/alice/closed/pkg/1.0", saves={"closed": HREF(0)}),
        *stores(), *refused(), *goes(),
    ]


def stores():
    return [
        post("/{wheel}", RESULT, saves={"first": stored}), post("/{wheel}", {"second": 1}, by="bob", saves={"second": stored}),
        post("/{sdist}", RESULT, by="alice"), post("/{wheel}", RESULT, basic=("bob", "wrong")),
        get("/alice/dev/pkg/1.0"), page("alice/dev", "pkg"), get("/{first}", accept=None), head("/{first}", accept=None), get("/{first}"), get("/{second}", accept=None),
        post("/{closed}", RESULT), post("/{closed}", RESULT, by="bob"), post("/{closed}", RESULT, by="root"), post("/{closed}", RESULT, by="alice"),
        get("/alice/closed/pkg/1.0"),
    ]


def refused():
    return [
        Exchange("POST", "/{wheel}", data="{broken"), Exchange("POST", "/{wheel}", data=""), post("/alice/dev/+f/000/0000000000000/pkg-1.0.zip", RESULT),
        post("/alice/nope/+f/000/0000000000000/pkg-1.0.zip", RESULT), post("/{first}", RESULT, note="of a result"),
        post("/{wheel}", [1, 2]), post("/{wheel}", "text"), post("/{wheel}", RESULT, accept="text/html"),
        page("alice/mirror", "far", saves={"far": lambda reply: reply.json()["files"][0]["url"].replace("../../", "alice/mirror/")}),
        get("/{far}", accept=None), post("/{far}", RESULT), put("/{wheel}", RESULT), patch("/{wheel}", RESULT),
    ]


def goes():
    return [
        push("alice/dev", {"name": "pkg", "version": "1.0", "targetindex": "alice/prod"}, by="alice"), get("/alice/prod/pkg/1.0"),
        delete("/{second}", by="bob"), delete("/{second}", by="alice"), get("/{second}"), get("/alice/dev/pkg/1.0"),
        delete("/{wheel}", by="alice"), get("/{first}"), get("/alice/dev/pkg/1.0"), upload("alice/dev", wheel("pkg", "1.0"), by="alice"), get("/alice/dev/pkg/1.0"),
        upload("alice/dev", sdist("pkg", "1.0", summary="other bytes"), by="alice"), get("/alice/dev/pkg/1.0", note="an overwritten file loses its results"),
        delete("/alice/dev/pkg", by="alice"), get("/{first}"),
    ]
