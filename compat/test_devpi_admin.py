"""`devpi user`, `passwd`, `index`, `getjson` and `patchjson`: every option, and what the server has after it."""

import json

import pytest

from harness.dists import wheel

ALICE = {"password": "secret123"}


@pytest.fixture
def alice(larder, new_client):
    """alice, logged in, using no index."""
    larder.json("/alice", method="PUT", json=ALICE)
    person = new_client()
    person.devpi("use", larder.url).ok()
    person.devpi("login", "alice", "--password=secret123").ok()
    return person


def shown(outcome):
    """The `key=value` lines of an index or a user."""
    lines = (line.strip() for line in outcome.ok().lines if line.startswith("  "))
    return dict(line.split("=", 1) for line in lines)


# users


def test_a_user_is_created_with_everything_or_asked_for_a_password(devpi, larder, client, alice):
    devpi("user", "-c", "bob", "password=secret123", "email=bob@example.com", "title=Bob").ok().says(
        "user created: bob"
    )
    user = larder.json("/bob")
    assert (user["email"], user["title"], user["indexes"]) == ("bob@example.com", "Bob", {})
    asked = client.answer(["long-enough", "long-enough"], "devpi", "user", "-c", "carol").ok()
    asked.says("new password for user carol", "user created: carol")
    assert larder.http("carol", "long-enough").get(f"{larder.url}/+api", timeout=10).ok
    devpi("user", "-c", "dave", "password=x", "shoe_size=44").failed().says(
        "400 Bad Request: Unknown keys in user config: shoe_size"
    )
    devpi("user", "-c", "no spaces", "password=secret123").failed().says("400")
    devpi("user", "-c").failed().says("need to specify a username")
    assert devpi("user", "-l").ok().lines == ["alice", "app", "bob", "carol", "root"]
    alice.devpi("user", "-c", "erin", "password=secret123").failed().says("403 Forbidden")


def test_a_user_shows_and_changes_itself(larder, alice):
    assert set(shown(alice.devpi("user"))) == {"created"}
    alice.devpi("user", "alice", "email=a@example.com").ok().says(
        "/alice changing email: a@example.com", "user modified: alice"
    )
    alice.devpi("user", "-m", "alice", "title=The boss").ok()
    user = shown(alice.devpi("user", "alice"))
    assert (user["email"], user["title"]) == ("a@example.com", "The boss")
    assert "modified" in user
    alice.devpi("user", "-m", "root", "title=Mine").failed().says("403 Forbidden")
    alice.devpi("user", "-m", "alice", "password=changed123").ok().says(
        "changing password: ********"
    ).omits("changed123")
    # the login ended with the old password
    alice.devpi("user", "-m", "alice", "title=x").failed().says("401")
    alice.devpi("login", "alice", "--password=changed123").ok()
    alice.devpi("user", "nobody").failed().says("404 Not Found: no user 'nobody'")


def test_passwords_are_changed_by_asking(larder, alice, client, devpi):
    changed = alice.answer(["first-one", "other-one", "changed123", "changed123"], "devpi", "passwd").ok()
    changed.says("passwords did not match", "user modified: alice")
    alice.devpi("login", "alice", "--password=secret123").failed()
    alice.devpi("login", "alice", "--password=changed123").ok()
    client.answer(["by-root-123", "by-root-123"], "devpi", "passwd", "alice").ok()
    alice.devpi("login", "alice", "--password=by-root-123").ok()


def test_a_user_is_deleted_after_a_yes(devpi, larder, client, alice):
    alice.devpi("index", "-c", "kept", "volatile=False").ok()
    client.answer(["no"], "devpi", "user", "--delete", "alice").ok().omits("user deleted")
    refused = client.answer(["perhaps", "yes"], "devpi", "user", "--delete", "alice").failed()
    refused.says("not a valid choice 'perhaps'", "403")
    alice.devpi("index", "kept", "volatile=True").ok()
    alice.devpi("user", "--delete", "alice", "-y").ok().says("user deleted: alice")
    devpi("user", "-l").ok().omits("alice")
    devpi("use", "-l").ok().omits("alice/")
    devpi("user", "--delete", "alice", "-y").failed().says("404 Not Found: no user 'alice'")


# indexes


def test_an_index_is_created_with_every_setting(devpi, larder, alice):
    made = shown(devpi(
        "index", "-c", "root/team", "bases=root/public,root/pypi", "volatile=False",
        "acl_upload=root,alice,:AUTHENTICATED:", "acl_read=root,alice", "acl_toxresult_upload=:ANONYMOUS:",
        "mirror_whitelist=one,two", "mirror_whitelist_inheritance=union", "title=Team", "description=Ours",
    ))
    assert made == {
        "type": "stage", "bases": "root/public,root/pypi", "volatile": "False",
        "acl_upload": "root,alice,:AUTHENTICATED:", "acl_read": "root,alice",
        "acl_toxresult_upload": ":ANONYMOUS:", "mirror_whitelist": "one,two",
        "mirror_whitelist_inheritance": "union", "title": "Team", "description": "Ours",
    }
    stored = larder.json("/root/team")
    assert (stored["volatile"], stored["mirror_whitelist"]) == (False, ["one", "two"])
    alice.devpi("index", "-c", "mine").ok().says(f"{larder.url}/alice/mine", "acl_upload=alice")
    alice.devpi("index", "-c", "root/mine").failed().says("403 Forbidden")
    devpi("index", "-c", "alice/roots").ok()
    assert set(larder.json("/alice")["indexes"]) == {"mine", "roots"}


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("volatile=maybe", "Unknown boolean value 'maybe'."),
        ("bases=root/none", "base index 'root/none' does not exist"),
        ("colour=red", "indexconfig got unexpected keyword arguments: colour=red"),
        ("type=tree", "unknown index type 'tree'"),
        ("mirror_whitelist_inheritance=some", "mirror_whitelist_inheritance"),
    ],
)
@pytest.mark.pairs("sqlite-files")
def test_a_setting_that_cannot_be_used_is_refused_and_nothing_is_made(setting, sentence, devpi, larder):
    devpi("index", "-c", "root/team", setting).failed().says("400 Bad Request: ", sentence)
    assert "team" not in larder.json("/root")["indexes"]
    before = larder.json("/root/public?no_projects=")
    if not setting.startswith("type"):
        devpi("index", "root/public", setting).failed().says("400 Bad Request: ", sentence)
    assert larder.json("/root/public?no_projects=") == before


def test_settings_are_set_added_taken_away_and_dropped(devpi, larder):
    devpi("index", "-c", "root/team", "title=Old", "bases=root/public").ok()
    devpi("use", "root/team").ok()
    config = shown(devpi("index", "title=New", "acl_upload+=bob", "acl_upload+=carol", "bases+=root/pypi"))
    assert config["title"] == "New"
    assert (config["acl_upload"], config["bases"]) == ("root,bob,carol", "root/public,root/pypi")
    config = shown(devpi("index", "root/team", "acl_upload-=bob", "bases-=root/public", "title-="))
    assert (config["acl_upload"], config["bases"]) == ("root,carol", "root/pypi")
    assert "title" not in config
    config = shown(devpi("index", "root/team", "bases=", "mirror_whitelist=*"))
    assert (config["bases"], config["mirror_whitelist"]) == ("", "*")
    devpi("index", "root/team", "acl_upload-=bob").failed().says("doesn't have value 'bob'")
    devpi("index", "root/team", "volatile-=").failed().says("Default values can't be removed.")
    devpi("index", "root/team", "title").failed().says("arguments must be format NAME=VALUE")
    assert shown(devpi("index")) == config


def test_indexes_are_shown_listed_and_deleted(devpi, larder, client, alice):
    devpi("upload", wheel("mine", "1.0").write(client.work)).ok()
    alice.devpi("index", "-c", "dev").ok()
    devpi("index", "-l").ok().says("root/public", "root/pypi").omits("alice/dev")
    assert devpi("index", "-l", "alice").ok().lines == ["alice/dev"]
    devpi("index").ok().says(f"{larder.url}/root/public:", "type=stage")
    devpi("index", "--no-projects", "root/pypi").ok().says("type=mirror", "volatile=False", "mirror_url=")
    alice.devpi("index", "root/public", "title=x").failed().says("403 Forbidden")
    alice.devpi("index", "--delete", "root/public", "-y").failed().says("403 Forbidden")
    client.answer(["no"], "devpi", "index", "--delete", "public").ok().omits("index deleted")
    devpi("index", "--delete", "root/public", "title=x").failed().says("cannot delete if you specify key=values")
    deleted = client.answer(["yes"], "devpi", "index", "--delete", "public").ok()
    deleted.says(f"index deleted: {larder.url}/root/public")
    assert larder.page("root/public", "mine") is None
    devpi("list").failed().says("404 Not Found")
    devpi("use").failed().says("404 Not Found: The stage root/public could not be found.")


@pytest.mark.pairs("sqlite-files")
def test_a_mirror_takes_its_settings(devpi, larder, upstream, client):
    upstream.add(wheel("beta", "1.0"))
    made = shown(devpi(
        "index", "-c", "root/other", "type=mirror", f"mirror_url={upstream.url}", "title=The other",
        "mirror_cache_expiry=77", "mirror_no_project_list=True", "mirror_use_external_urls=False",
        "mirror_web_url_fmt=http://127.0.0.1/{name}/",
    ))
    assert (made["type"], made["volatile"], made["mirror_cache_expiry"]) == ("mirror", "True", "77")
    assert made["mirror_url"] == upstream.url
    assert client.pip_install(f"{larder.url}/root/other/+simple/", "beta").ok().versions == {"beta": "1.0"}
    changed = shown(devpi("index", "root/other", "mirror_cache_expiry=5", "title-="))
    assert changed["mirror_cache_expiry"] == "5" and "title" not in changed
    devpi("index", "root/other", "mirror_url=not-a-url").failed().says("'mirror_url' option must be a URL")
    devpi("index", "root/other", "mirror_cache_expiry=soon").failed().says("must be an integer")
    devpi("index", "root/other", "type=stage").failed().says("400")
    devpi("index", "--delete", "root/other", "-y").ok()
    assert "other" not in larder.json("/root")["indexes"]


# JSON


@pytest.mark.pairs("sqlite-files")
def test_getjson_gives_whole_documents_and_headers(devpi, larder, client):
    devpi("upload", wheel("mine", "1.0").write(client.work)).ok()
    for path, kind in [
        ("/", "list:userconfig"), ("/root", "userconfig"), ("/root/public", "indexconfig"),
        ("mine", "projectconfig"), ("mine/1.0", "versiondata"), ("/+api", "apiconfig"),
        (f"{larder.url}/+status", "status"), ("/root/public?no_projects=", "indexconfig"),
    ]:
        document = json.loads(devpi("getjson", path).ok().output)
        assert document["type"] == kind, path
        assert ("projects" in document["result"]) == (path == "/root/public"), path
    verbose = devpi("getjson", "-v", "/root/public").ok()
    verbose.says("GET REQUEST sent to", "X-DEVPI-API-VERSION: 2\n", "CONTENT-TYPE: application/json\n")
    devpi("getjson", "none").failed().says("404 Not Found: no project 'none'")
    devpi("getjson", "/root/none").failed().says("404 Not Found: The stage root/none could not be found.")


@pytest.mark.pairs("sqlite-files")
def test_patchjson_sends_objects_and_operations(devpi, larder, client, alice):
    (client.work / "object.json").write_text(json.dumps({"title": "One", "bases": []}))
    devpi("patchjson", "/root/public", "object.json").ok().says("PATCH REQUEST sent to", '"title": "One"')
    patch = ["title=Two", "acl_upload+=alice"]
    client.answer([json.dumps(patch)], "devpi", "patchjson", "/root/public", "-").ok().says('"title": "Two"')
    config = larder.json("/root/public")
    assert (config["title"], config["acl_upload"], config["bases"]) == ("Two", ["root", "alice"], [])
    devpi("patchjson", "/alice", "object.json").ok().says("user updated")
    assert larder.json("/alice")["title"] == "One"
    wrong = client.answer(['{"colour": 1}'], "devpi", "patchjson", "/root/public", "-").failed()
    wrong.says("400 Bad Request: indexconfig got unexpected keyword arguments: colour=1")
    alice.devpi("use", "root/public").ok()
    (alice.work / "object.json").write_text("{}")
    alice.devpi("patchjson", "/root/public", "object.json").failed().says("403 Forbidden")
