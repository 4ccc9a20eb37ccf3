"""Section 4.4: the same file again, other bytes under a known name, and what stays of the old ones."""

from harness.dists import sdist, wheel
from oracle.exchange import delete, differing, get, head, page, people, put, upload

HREF = lambda number: lambda reply: reply.json()["result"]["+links"][number]["href"]  # noqa: E731


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/final", {"volatile": False}, by="alice"),
        *volatile(), *final(), *shared(),
    ]


def volatile():
    one, two = wheel("pkg", "1.0", payload=b"one"), wheel("pkg", "1.0", payload=b"two")
    return [
        upload("alice/dev", one, by="alice"), get("/alice/dev/pkg/1.0", saves={"old": HREF(0)}),
        get("/{old}", accept=None),
        upload("alice/dev", sdist("pkg", "1.0"), by="alice"),
        upload("alice/dev", two, by="alice", note="other bytes"),
        get("/alice/dev/pkg/1.0", saves={"new": HREF(1)}), page("alice/dev", "pkg"),
        get("/{old}"), get("/{old}", accept=None), head("/{old}"), delete("/{old}", by="alice"),
        get("/{new}", accept=None),
        upload("alice/dev", one, by="alice", note="the first bytes"), get("/alice/dev/pkg/1.0"),
        get("/{old}", accept=None), get("/{new}", accept=None),
        *differing("identical", (200, "nothing changed"), upload("alice/dev", one, by="alice", note="again")),
        *differing("identical", (200, '"count": 2'), get("/alice/dev/pkg/1.0")), page("alice/dev", "pkg"),
        get("/{old}", accept=None),
    ]


def final():
    one, two = wheel("pkg", "1.0", payload=b"one"), wheel("pkg", "1.0", payload=b"two")
    again = upload("alice/final", one, by="alice", note="again")
    again = differing("identical", (200, "Upload of identical file"), again)
    return [
        upload("alice/final", one, by="alice"), *again, *differing(
            "own-words", (409, "already exists in non-volatile index"),
            upload("alice/final", two, by="alice", note="other bytes"),
            upload("alice/final", two, by="alice", accept="application/json", note="other bytes")),
        upload("alice/final", sdist("pkg", "1.0"), by="alice"),
        upload("alice/final", wheel("pkg", "1.1"), by="alice"),
        get("/alice/final/pkg/1.0", saves={"kept": HREF(0)}), get("/{kept}", accept=None),
        page("alice/final", "pkg"), *again, get("/alice/final/pkg/1.0"),
        *differing("own-words", 409, upload("alice/final", two, by="alice", fields={"summary": "changed"})),
        *differing("inside-counts", (200, "A test distribution"), get("/alice/final/pkg/1.0")),
    ]


def shared():
    """The same bytes under another name, or in another index."""
    dist = sdist("pkg", "1.0")
    return [
        put("/alice/more", {}, by="alice"), upload("alice/more", dist, by="alice"), page("alice/more", "pkg"),
        put("/alice/most", {}, by="alice"), upload("alice/most", dist, by="alice"),
        upload("alice/most", dist, filename="PKG-1.0.tar.gz", by="alice", note="other letters"),
        *differing("one-file", 200, page("alice/most", "pkg"), get("/alice/most/pkg")),
    ]
