"""Section 7: mirrors while their upstream is well."""

import time

from harness.dists import sdist, wheel
from oracle.exchange import SIMPLE_JSON, Step, delete, differing, get, page, patch, people, put

WAIT_SECS = 20


def file_url(number, index="mirror"):
    return lambda reply: reply.json()["files"][number]["url"].replace("../../", f"alice/{index}/")


def until_stored(name):
    """Waits until a file that was just sent is in the cache: it is known by its date then."""
    def wait(stage):
        limit = time.monotonic() + WAIT_SECS
        while not all("last_modified" in side.ask(f"/{side.saved[name]}")["result"] for side in (stage.devpi,
            stage.larder)):
            assert time.monotonic() < limit, f"{name} is never stored"

    return Step(f"{name} is stored", wait)


def exchanges(upstream):
    yanked = {wheel("yanked", "1.0"): "broken", wheel("yanked", "1.1"): ""}
    upstream.add(wheel("far", "1.0"), sdist("far", "1.0"), wheel("Far.Name", "2.0"), sdist("far", "2.0rc1"), *yanked)
    for dist, reason in yanked.items():
        upstream.yank(dist, reason)
    return [
        *people("alice"), put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        put(
            "/alice/quiet", {"type": "mirror", "mirror_url": upstream.url, "mirror_no_project_list": True},
            by="alice",
        ),
        put(
            "/alice/away", {"type": "mirror", "mirror_url": upstream.url, "mirror_use_external_urls": True},
            by="alice",
        ),
        put("/alice/always", {"type": "mirror", "mirror_url": upstream.url, "mirror_cache_expiry": 0}, by="alice"),
        *lists(), *pages(), *files(), *deletes(), *changes(upstream),
    ]


def lists():
    return [
        *differing("mirror-lists", (200, '"projects": []'), get("/alice/mirror")),
        *differing("mirror-lists", (200, '"projects":[]'), get("/alice/mirror/+simple/", accept=SIMPLE_JSON)),
        get("/alice/quiet", note="nothing asked yet"), get("/alice/quiet/+simple/", accept=SIMPLE_JSON),
        page("alice/quiet", "far"), page("alice/quiet", "nope"), get("/alice/quiet"),
        get("/alice/quiet/+simple/", accept=SIMPLE_JSON),
    ]


def pages():
    return [
        page("alice/mirror", "far"), page("alice/mirror", "far", note="cached"), page("alice/mirror", "far-name"),
        page("alice/mirror", "yanked"),
        get("/alice/mirror/yanked"), get("/alice/mirror/yanked/1.0"), get("/alice/mirror/yanked/1.1"),
        get("/alice/mirror/far"), get("/alice/mirror/far/1.0"),
        get("/alice/mirror/far-name/2.0"), get("/alice/mirror/nope"), get("/alice/mirror/nope/1.0"),
        get("/alice/mirror/far/9"),
        get("/alice/quiet/nope"),
        *differing("upstream-failures", 404, get("/alice/quiet/nope/1.0", note="known as missing")),
        page("alice/mirror", "nope"), page("alice/mirror", "nope", note="known as missing"),
        get("/alice/mirror/+simple/yanked/", accept="text/html", headers={"user-agent": "pip/26"}),
        get("/alice/mirror/far", accept=None, headers={"user-agent": "pip/26"}),
    ]


def files():
    return [
        page("alice/away", "far", saves={"away": file_url(0, "away")}), get("/{away}", accept=None), get("/{away}"),
        page("alice/mirror", "far", saves={"far": file_url(0), "other": file_url(1)}),
        get("/{far}", accept=None), until_stored("far"), get("/{far}"), get("/{other}"),
    ]


def deletes():
    return [
        *differing("own-words", 404, delete("/{other}", by="alice", note="not cached")),
        delete("/{far}", by="alice"),
        *differing("mirror-deletes", 200, get("/{far}")), delete("/alice/mirror/far/1.0"),
        delete("/alice/mirror/far/1.0", by="alice"),
        delete("/alice/mirror/far/9.9", by="alice"), delete("/alice/mirror/nope/1.0", by="alice"),
        delete("/alice/mirror/far-name", by="alice"), page("alice/mirror", "far-name"),
        delete("/alice/mirror/nope", by="alice"),
    ]


def changes(upstream):
    return [
        *differing("known-stays", 200, page("alice/always", "yanked")),
        Step("a new file upstream", lambda stage: stage.upstream.add(wheel("yanked", "3.0"))),
        *differing("known-stays", (200, "yanked-3.0"), page("alice/always", "yanked")),
        page("alice/mirror", "yanked"), patch("/alice/mirror", {"title": "x"}, by="alice"),
        page("alice/mirror", "yanked"), delete("/alice/mirror", by="alice"), get("/alice/mirror"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        page("alice/mirror", "far"),
        *differing(
            "hidden-password", (200, "me:****@"),
            put(
                "/alice/secret",
                {"type": "mirror", "mirror_url": upstream.url.replace("http://", "http://me:hidden@")}, by="alice",
            ),
            get("/alice/secret?no_projects="), get("/alice/secret?no_projects=", by="alice"), get("/alice"),
            get("/"),
        ),
        page("alice/secret", "far"),
    ]
