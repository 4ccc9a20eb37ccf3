"""Section 1.5: what a trusted proxy is told about an address and the credentials that came with it."""

from oracle.exchange import differing, get, head, people, put

LARDER_OPTIONS = ["--trusted-proxy", "*"]


def exchanges(upstream):
    return [*people("alice", "bob"), put("/alice/dev", {}, by="alice"), *authcheck()]


def authcheck():
    originals = (
        "/", "/alice", "/alice/dev", "/alice/dev/+simple/", "/alice/dev/+simple/pkg/", "/+api", "/alice/dev/+api",
        "/+login", "/alice/dev/pkg", "/alice/dev/pkg/1.0", "/alice/dev/+f/abc/0123456789abc/x-1.0.zip",
        "/alice/nope", "/nobody/nope/+simple/", "http://example.org/alice/dev", "/alice/dev/a/b/c/d", "/+nothing",
        "/alice/dev/%2Bsimple/pkg/", "/alice/dev/+simple/pkg/?x=1",
    )
    alice = {"x-original-uri": "/alice/dev"}
    return [
        *[
            get("/+authcheck", headers={"x-original-uri": original}, looks_at="status", note=original)
            for original in originals
        ],
        *differing("no-address", 403, get("/+authcheck", looks_at="status")), get("/+authcheck", headers=alice,
            by="alice", looks_at="status"),
        get("/+authcheck", headers=alice, basic=("alice", "wrong"), looks_at="status"),
        head("/+authcheck", headers=alice, looks_at="status"),
    ]
