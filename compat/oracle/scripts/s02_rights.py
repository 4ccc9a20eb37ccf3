"""Section 2.6: who may do what, with access lists and special names."""

from harness.dists import wheel
from oracle.exchange import delete, differing, login, page, patch, people, put, upload

WHO = ({}, {"by": "alice"}, {"by": "bob"}, {"by": "carol"}, {"by": "root"})


def exchanges(upstream):
    return [
        *people("alice", "bob", "carol"),
        put("/alice/dev", {"acl_upload": ["bob"]}, by="alice"),
        put("/alice/open", {"acl_upload": [":anonymous:"]}, by="alice"),
        put("/alice/known", {"acl_upload": ":AUTHENTICATED:,nobody,:group"}, by="alice"),
        put("/alice/none", {"acl_upload": []}, by="alice"),
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[upload(f"alice/{index}", wheel("mine", f"1.{number}"), **who)
          for index in ("dev", "open", "known", "none", "mirror") for number, who in enumerate(WHO)],
        *[delete(f"/alice/{index}/mine/1.{number}", **who)
          for index in ("dev", "open", "known", "none") for number, who in enumerate(WHO)],
        *[page(f"alice/{index}", "mine") for index in ("dev", "open", "known", "none")],
        *[put(f"/bob/index{number}", {}, **who) for number, who in enumerate(WHO)],
        *[patch("/bob/index2", {"title": f"x{number}"}, **who) for number, who in enumerate(WHO)],
        delete("/bob/index2"), delete("/bob/index2", by="alice"), delete("/bob/index2", by="bob"),
        delete("/bob/index4", by="root"),
        *[patch("/bob", {"title": f"x{number}"}, **who) for number, who in enumerate(WHO)],
        *[patch("/bob", {"password": "bob", "title": "x"}, **who) for who in WHO],
        login("bob", "bob"), *missing(), delete("/carol"), delete("/carol", by="bob"), delete("/carol", by="alice"),
        delete("/carol", by="root"),
        put("/carol", {"password": "new"}), login("carol", "new"), delete("/carol", by="carol"),
    ]


def missing():
    dist = wheel("mine", "1.0")
    return [
        *differing(
            "missing-first", (404, "could not be found"),
            patch("/alice/nope", {"title": "x"}, by="alice"), patch("/alice/nope", {"title": "x"}),
            delete("/alice/nope", by="alice"),
            delete("/alice/nope", by="root"), delete("/bob/index2", by="bob"),
            patch("/nobody/nope", {"title": "x"}, by="root"),
            delete("/alice/nope/mine", by="alice"), delete("/alice/nope/mine/1.0", by="root"),
            delete("/alice/nope/+f/abc/0123456789abc/x-1.0.zip", by="alice"),
        ),
        put("/nobody/nope", {}, by="root"), put("/nobody/nope", {}), upload("alice/nope", dist, by="alice"),
        upload("nobody/nope", dist, by="alice"),
    ]
