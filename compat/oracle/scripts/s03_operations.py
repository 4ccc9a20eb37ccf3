"""Section 3.4: indexes are changed by lists of operations, as devpi-client sends them."""

from oracle.exchange import delete, differing, get, patch, people, put

OPERATIONS = (
    ["title=x"], ["title=x"], ["title="], ["title"], ["title-="], ["title-="], ["description=a=b,c"],
    ["bases=alice/base"], ["bases=alice/base,bob/base"], ["bases="], ["bases+=alice/base"], ["bases+=alice/base"],
    ["bases+=bob/base"], ["bases-=alice/base"], ["bases-=alice/base"], ["bases+=no/such"], ["bases=no/such"],
    ["bases-=bob/base"],
    ["acl_upload+=bob"], ["acl_upload+=bob"], ["acl_upload+=x,y"], ["acl_upload-=x,y"], ["acl_upload-=zzz"],
    ["acl_upload-=bob"],
    ["acl_upload=:anonymous:,bob"], ["acl_upload="], ["acl_upload-="], ["acl_upload+=:authenticated:"],
    ["volatile=False"], ["volatile=yes"], ["volatile=maybe"], ["volatile-="], 
    ["mirror_whitelist=Foo_Bar,*"], ["mirror_whitelist+=Baz.Q"], ["mirror_whitelist-=foo-bar"],
    ["mirror_whitelist-=*"],
    ["mirror_whitelist-=baz-q"], ["mirror_whitelist_inheritance=union"], ["mirror_whitelist_inheritance=both"],
    ["mirror_whitelist_inheritance-="], ["acl_toxresult_upload=bob"], ["acl_toxresult_upload-="],
    ["acl_toxresult_upload-=bob"],
    ["colour=red"], ["colour-="], ["type=mirror"], ["type=stage"], 
    ["title=one", "title=two"], ["acl_upload+=carol", "acl_upload-=carol"], ["title=kept", "bases=no/such"], [],
    ["custom_data=5"], ["custom_data-="], ["mirror_url=http://example.org/"], ["projects=x"], ["projects-="],
)
NOT_OPERATIONS = (
    [1], [None], [["title", "x"]], [{"title": "x"}], ["volatile+=x"], ["colour+=red"], ["colour-=red"],
    ["title+=x"],
)
UNCLEAR = (["type-="], ["=x"], [""])


def exchanges(upstream):
    return [
        *people("alice", "bob"), put("/alice/base", {}, by="alice"), put("/bob/base", {}, by="bob"),
        put("/alice/dev", {}, by="alice"),
        *[patch("/alice/dev", operations, by="alice", note=", ".join(operations)) for operations in OPERATIONS],
        *differing(
            "bad-input", 400,
            *[patch("/alice/dev", operations, by="alice", note=str(operations)) for operations in NOT_OPERATIONS],
        ),
        *differing(
            "own-words", 400,
            *[patch("/alice/dev", operations, by="alice", note=str(operations)) for operations in UNCLEAR],
        ),
        get("/alice/dev"), patch("/alice/dev", ["title=x"], by="bob"), patch("/alice/dev", ["title=x"]),
        *mirror(upstream), *noop(), *dangling(),
    ]


def mirror(upstream):
    operations = (
        ["mirror_cache_expiry=60"], ["mirror_cache_expiry=x"], ["mirror_cache_expiry-="],
        ["mirror_use_external_urls=yes"],
        ["mirror_use_external_urls-="], ["mirror_no_project_list=maybe"],
        ["mirror_web_url_fmt=http://example.org/{name}"],
        ["mirror_web_url_fmt-="], ["volatile=False"], ["volatile=True"], ["volatile-="], ["acl_upload=x"],
        ["acl_upload-="],
        ["bases=no/such"], ["title=M"], ["mirror_url=ftp://x"], ["acl_toxresult_upload=x"], ["mirror_whitelist=x"],
    )
    return [
        put("/alice/mirror", {"type": "mirror", "mirror_url": upstream.url}, by="alice"),
        *[patch("/alice/mirror", each, by="alice", note=", ".join(each)) for each in operations],
        get("/alice/mirror?no_projects="),
    ]


def noop():
    told = "/alice/quiet?error_on_noop="
    quiet = (["title=x"], ["title=x"], ["acl_upload+=alice"], ["acl_upload+=bob"], ["title-="], [])
    return [
        put("/alice/quiet", {}, by="alice"),
        *[patch(told, operations, by="alice", note=", ".join(operations)) for operations in quiet],
        *differing(
            "noop", (400, "no changes"), patch(told, ["title-="], by="alice"),
            patch("/alice/quiet?error_on_noop", {}, by="alice"),
        ),
        patch("/alice/quiet?error_on_noop=1", {"title": "x"}, by="alice"),
    ]


def dangling():
    return [
        put("/alice/above", {"bases": ["alice/quiet", "bob/base"]}, by="alice"), delete("/alice/quiet", by="alice"),
        patch("/alice/above", ["title=x"], by="alice", note="a base is gone"),
        patch("/alice/above", {"title": "x"}, by="alice"),
        *differing("no-change", 200, patch("/alice/above", ["description-="], by="alice", note="a base is gone")),
        patch("/alice/above", ["bases-=alice/quiet"], by="alice"), patch("/alice/above", ["title=y"], by="alice"),
        get("/alice/above"),
    ]
