"""Section 8.3: a name that is private is not taken from mirrors, unless a whitelist says so."""

from itertools import product

from harness.dists import wheel
from oracle.exchange import get, page, patch, people, put, upload

OWN, BASE = ("", "pkg", "Pkg,other", "*", "other"), ("", "pkg", "*")


def exchanges(upstream):
    upstream.add(wheel("pkg", "9.0"), wheel("pkg", "1.0"), wheel("other", "9.0"), wheel("own", "9.0"))
    return [
        *people("alice"), put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        put("/alice/mirror2", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        put("/alice/base", {"bases": "alice/mirror"}, by="alice"),
        put("/alice/dev", {"bases": "alice/base"}, by="alice"),
        put("/alice/side", {"bases": "alice/mirror,alice/base,alice/mirror2"}, by="alice"),
        upload("alice/base", wheel("pkg", "1.0", payload=b"x"), by="alice"),
        upload("alice/dev", wheel("own", "1.0"), by="alice"),
        page("alice/dev", "pkg"), page("alice/base", "pkg"), page("alice/side", "pkg"), page("alice/dev", "own"),
        page("alice/dev", "other"),
        get("/alice/dev/pkg/9.0"), get("/alice/dev/pkg"), get("/alice/dev/other/9.0"),
        get("/alice/dev/+simple/pkg/", accept="text/html"),
        *[exchange for lists in product(("intersection", "union"), OWN, BASE) for exchange in case(*lists)],
    ]


def case(inheritance, own, base):
    lists = f"{inheritance} of '{own}' and '{base}'"
    return [
        patch(
            "/alice/dev", {"mirror_whitelist": own, "mirror_whitelist_inheritance": inheritance}, by="alice",
            note=lists,
        ),
        patch("/alice/base", {"mirror_whitelist": base}, by="alice", note=lists),
        page("alice/dev", "pkg", note=lists), page("alice/dev", "own", note=lists),
        page("alice/base", "pkg", note=lists),
        get("/alice/dev/pkg", note=lists), get("/alice/dev/pkg/9.0", note=lists),
    ]
