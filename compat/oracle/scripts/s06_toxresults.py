"""Section 6.1: test results of release files."""

from harness.dists import sdist, wheel
from oracle.exchange import Exchange, delete, differing, get, head, page, patch, people, post, put, upload
from oracle.scripts.s04_overwrites import HREF

RESULT = {"reportversion": "1", "testenvs": {"py311": {"test": [{"command": ["x"], "output": "ok", "retcode": "0"}]}}}


def stored(reply):
    return reply.json()["result"].partition("#")[0]


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"))
    dists = (wheel("pkg", "1.0"), sdist("pkg", "1.0"))
    return [
        *people("alice", "bob"), put("/alice/dev", {}, by="alice"), put("/alice/prod", {}, by="alice"),
        put("/alice/closed", {"acl_toxresult_upload": ["alice"], "volatile": False}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[upload(f"alice/{index}", dist, by="alice") for index in ("dev", "closed") for dist in dists],
        get("/alice/dev/pkg/1.0", saves={"wheel": HREF(0), "sdist": HREF(1)}),
        get("/alice/closed/pkg/1.0", saves={"closed": HREF(0)}),
        *stores(), *refused(), *goes(),
    ]


def stores():
    return [
        post("/{wheel}", RESULT, saves={"first": stored}),
        post("/{wheel}", {"second": 1}, by="bob", saves={"second": stored}),
        post("/{sdist}", RESULT, by="alice"), get("/alice/dev/pkg/1.0"), page("alice/dev", "pkg"),
        get("/{first}", accept=None), head("/{first}", accept=None), get("/{first}"), get("/{second}", accept=None),
        post("/{closed}", RESULT), post("/{closed}", RESULT, by="bob"), post("/{closed}", RESULT, by="root"),
        post("/{closed}", RESULT, by="alice"), get("/alice/closed/pkg/1.0"),
        post("/{closed}", RESULT, basic=("alice", "wrong"), differs="stale-credentials", larder=401),
    ]


def refused():
    json = {"content-type": "application/json"}
    far = lambda reply: reply.json()["files"][0]["url"].replace("../../", "alice/mirror/")  # noqa: E731
    return [
        Exchange("POST", "/{wheel}", data="{broken", headers=json),
        Exchange("POST", "/{wheel}", data="", headers=json),
        post("/alice/dev/+f/000/0000000000000/pkg-1.0.zip", RESULT), post("/{first}", RESULT, note="of a result"),
        *differing("json-says-so", 415, Exchange("POST", "/{wheel}", data="{broken")),
        *differing("missing-first", 404, post("/alice/nope/+f/000/0000000000000/pkg-1.0.zip", RESULT)),
        *differing(
            "bad-input", (400, "a test result is a JSON object"), post("/{sdist}", [1, 2]),
            post("/{sdist}", "text"),
        ),
        *differing("methods", 405, put("/{wheel}", RESULT), patch("/{wheel}", RESULT)),
        page("alice/mirror", "far", saves={"far": far}), get("/{far}", accept=None),
        *differing("bad-input", 403, post("/{far}", RESULT, note="mirrors keep none")),
    ]


def goes():
    again = (wheel("pkg", "1.0", payload=b"other"), sdist("pkg", "1.0", summary="other"))
    return [
        delete("/{second}"), delete("/{second}", by="bob"), delete("/{second}", by="alice"), get("/{second}"),
        get("/{first}", accept=None), upload("alice/dev", again[0], by="alice", note="overwrites the wheel"),
        get("/{first}"), delete("/alice/dev/pkg/1.0", by="alice"), get("/alice/dev/pkg"),
        *[upload("alice/dev", dist, by="alice") for dist in again],
        get("/alice/dev/pkg/1.0", saves={"wheel": HREF(0), "sdist": HREF(1)}),
        post("/{wheel}", RESULT, saves={"first": stored}),
        post("/{wheel}", RESULT), get("/alice/dev/pkg/1.0"), delete("/{wheel}", by="alice"), get("/{first}"),
        get("/alice/dev/pkg/1.0", note="a file's results go with it"),
        post("/{sdist}", RESULT, saves={"first": stored}),
        delete("/alice/dev/pkg", by="alice"), get("/{first}"), get("/alice/dev"),
    ]
