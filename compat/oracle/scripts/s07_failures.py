"""Section 7.4: mirrors while their upstream is not well."""

from harness.dists import sdist, wheel
from oracle.exchange import Step, differing, get, page, people, post, put
from oracle.scripts.s07_mirrors import file_url

LISTLESS = {"type": "mirror", "mirror_no_project_list": True, "mirror_cache_expiry": 0}

MIRRORS = ("m500", "m403", "m404", "bad", "html", "down", "wrong")


def fault(path, kind):
    return Step(f"{path}: {kind}", lambda stage: stage.upstream.fault(path, kind))


WELL = Step("all is well", lambda stage: stage.upstream.clear())


def exchanges(upstream):
    projects = ("known", "refused", "missing", "broken", "gone", "bytes", "lost")
    upstream.add(sdist("known", "1.1"), *[wheel(name, "1.0") for name in projects])
    mirror = {**LISTLESS, "mirror_url": upstream.url}
    return [
        *people("alice"), put("/alice/mirror", mirror, by="alice"),
        put("/alice/listed", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[put(f"/alice/{name}", mirror, by="alice") for name in MIRRORS],
        put("/alice/dev", {"bases": "alice/m500"}, by="alice"),
        *statuses(), *files(upstream), *down(),
    ]


def statuses():
    return [
        page("alice/m500", "known"), fault("/simple/known/", {"status": 500}),
        page("alice/m500", "known", note="stale"), get("/alice/m500/known"),
        page("alice/dev", "known", note="stale, below a stage"), WELL,
        fault("/simple/refused/", {"status": 500}),
        *differing(
            "own-words", (502, "answered with status 500"), page("alice/m500", "refused"), get("/alice/m500/refused"),
            get("/alice/m500/refused/1.0"),
        ),
        *differing(
            "upstream-failures", (502, "answered with status 500"),
            page("alice/dev", "refused", note="a base fails"), get("/alice/dev/refused"),
        ),
        WELL,
        fault("/simple/missing/", {"status": 404}), page("alice/m404", "missing"),
        page("alice/m404", "missing", note="known as missing"), get("/alice/m404/missing"), WELL,
        fault("/simple/missing/", {"status": 403}),
        *differing("own-words", (502, "status 403"), page("alice/m403", "missing")), WELL,
        fault("/simple/broken/", "bad_json"),
        *differing("upstream-failures", (502, "cannot be used"), page("alice/bad", "broken")), WELL,
        fault("/simple/broken/", "html_only"), page("alice/html", "broken"), WELL,
        *differing("refresh", 302, post("/alice/m404/+simple/nope/refresh")),
    ]


def files(upstream):
    def answers(name, status):
        path = lambda: upstream.file_path(wheel(name, "1.0"))  # noqa: E731
        return Step(f"the file of {name}: {status}", lambda stage: stage.upstream.fault(path(), {"status": status}))

    return [
        page("alice/mirror", "lost", saves={"lost": file_url(0)}), answers("lost", 404),
        *differing("own-words", (404, "no longer has"), get("/{lost}", accept=None)), get("/{lost}"), WELL,
        page("alice/mirror", "gone", saves={"gone": file_url(0)}), answers("gone", 500),
        *differing("own-words", (502, "status 500"), get("/{gone}", accept=None)), WELL,
    ]


def down():
    return [
        page("alice/down", "known"), Step("the upstream is down", lambda stage: stage.upstream.down()),
        page("alice/down", "known", note="stale"),
        *differing(
            "own-words", (502, "cannot be reached"), page("alice/down", "bytes", note="never seen"),
            get("/alice/down/bytes"), page("alice/wrong", "bytes", note="never seen"),
        ),
        get("/alice/down"),
        Step("the upstream is up", lambda stage: stage.upstream.up()),
    ]
