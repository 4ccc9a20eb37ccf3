"""Section 4.4: the same file again, other bytes under a known name, and what stays of the old ones."""

from harness.dists import sdist, wheel
from oracle.exchange import delete, get, head, page, people, put, upload

HREF = lambda number: lambda reply: reply.json()["result"]["+links"][number]["href"]  # noqa: E731


def exchanges(upstream):
    return [
        *people("alice"), put("/alice/dev", {}, by="alice"), put("/alice/final", {"volatile": False}, by="alice"),
        *volatile(), *final(), *shared(),
    ]


def volatile():
    one, two = wheel("pkg", "1.0", payload=b"one"), wheel("pkg", "1.0", payload=b"two")
    return [
        upload("alice/dev", one, by="alice"), get("/alice/dev/pkg/1.0", saves={"old": HREF(0)}), get("/{old}", accept=None),
        upload("alice/dev", one, by="alice", note="again"), get("/alice/dev/pkg/1.0"), page("alice/dev", "pkg"), get("/{old}", accept=None),
        upload("alice/dev", sdist("pkg", "1.0"), by="alice"), upload("alice/dev", two, by="alice", note="other bytes"),
        get("/alice/dev/pkg/1.0", saves={"new": HREF(1)}), page("alice/dev", "pkg"),
        get("/{old}"), get("/{old}", accept=None), head("/{old}"), delete("/{old}", by="alice"), get("/{new}", accept=None),
        upload("alice/dev", one, by="alice", note="the first bytes"), get("/{old}", accept=None), get("/{new}", accept=None),
        upload("alice/dev", two, by="alice", fields={"summary": "changed"}), get("/alice/dev/pkg/1.0"),
    ]


def final():
    one, two = wheel("pkg", "1.0", payload=b"one"), wheel("pkg", "1.0", payload=b"two")
    return [
        upload("alice/final", one, by="alice"), upload("alice/final", one, by="alice", note="again"),
        upload("alice/final", two, by="alice", note="other bytes"), upload("alice/final", two, by="alice", accept="application/json", note="other bytes"),
        upload("alice/final", sdist("pkg", "1.0"), by="alice"), upload("alice/final", wheel("pkg", "1.1"), by="alice"),
        get("/alice/final/pkg/1.0", saves={"kept": HREF(0)}), get("/{kept}", accept=None), page("alice/final", "pkg"),
        upload("alice/final", two, by="alice", fields={"summary": "changed"}), get("/alice/final/pkg/1.0"),
        upload("alice/final", one, by="alice", fields={"summary": "changed too"}), get("/alice/final/pkg/1.0"),
    ]


def shared():
    """The same bytes under another version, name or index."""
    dist = sdist("pkg", "1.0")
    return [
        put("/alice/more", {}, by="alice"), upload("alice/more", dist, by="alice"),
        upload("alice/more", dist, filename="PKG-1.0.tar.gz", by="alice", note="other letters"), page("alice/more", "pkg"), get("/alice/more/pkg"),
        upload("alice/dev", dist, by="alice"), page("alice/dev", "pkg"), page("alice/more", "pkg"),
    ]
