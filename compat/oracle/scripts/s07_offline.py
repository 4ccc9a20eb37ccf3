"""Section 7.9: nobody is asked."""

from harness.dists import wheel
from oracle.exchange import SIMPLE_JSON, differing, get, page, people, put, upload

OPTIONS = ["--offline-mode"]


def exchanges(upstream):
    upstream.add(wheel("far", "1.0"), wheel("pkg", "9.0"))
    mirror = {"type": "mirror", "mirror_url": upstream.url}
    return [
        *people("alice"), put("/alice/mirror", mirror, by="alice"),
        put("/alice/quiet", {**mirror, "mirror_no_project_list": True}, by="alice"),
        put("/alice/dev", {"bases": "alice/mirror,alice/quiet"}, by="alice"),
        upload("alice/dev", wheel("pkg", "1.0"), by="alice"),
        *pages("mirror"), *differing("offline", 404, *pages("quiet")), *pages("dev"),
        *[get(f"/alice/{index}", note="what is here") for index in ("mirror", "quiet", "dev")],
        *[get(f"/alice/{index}/+simple/", accept=SIMPLE_JSON) for index in ("mirror", "quiet", "dev")],
        *differing("offline", (502, "offline mode"), *[
            get(f"/alice/{index}/+f/000/0000000000000/far-1.0-py3-none-any.whl") for index in ("mirror", "quiet")
        ]),
    ]


def pages(index):
    return [
        page(f"alice/{index}", "far"), page(f"alice/{index}", "pkg"), page(f"alice/{index}", "nope"),
        get(f"/alice/{index}/far"), get(f"/alice/{index}/pkg"), get(f"/alice/{index}/far/1.0"),
    ]
