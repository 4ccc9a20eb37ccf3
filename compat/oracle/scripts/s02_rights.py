"""Section 2.6: who may do what, with access lists and special names."""

from harness.dists import wheel
from oracle.exchange import Exchange, delete, get, login, page, patch, people, put, push, upload

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
        *[delete(f"/bob/index{number}", **who) for number, who in enumerate(WHO)],
        *[patch("/bob", {"title": f"x{number}"}, **who) for number, who in enumerate(WHO)],
        *[patch("/bob", {"password": "bob", "title": "x"}, **who) for who in WHO],
        patch("/alice/nope", {"title": "x"}, by="alice"), delete("/alice/nope", by="alice"), delete("/alice/nope", by="root"),
        patch("/nobody/nope", {"title": "x"}, by="root"), put("/nobody/nope", {}, by="root"), put("/nobody/nope", {}),
        upload("alice/nope", wheel("mine", "1.0"), by="alice"), upload("nobody/nope", wheel("mine", "1.0"), by="alice"),
        delete("/alice/nope/mine", by="alice"), delete("/alice/nope/mine/1.0", by="root"),
        delete("/alice/nope/+f/abc/0123456789abc/x-1.0.zip", by="alice"),
        *[delete("/carol", **who) for who in WHO],
    ]
