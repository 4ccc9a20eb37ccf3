"""The oldest devpi-clients that still run: what their documentation says, on one server each.

`LARDER_ALL_CLIENTS=1` also runs those between the usual ones; `scripts/setup-clients` installs them.
"""

import json
import os

import pytest

from harness.clients import other_client
from harness.dists import sdist, wheel

USUAL = ("2.3.0", "2.7.0", "4.4.0", "6.0.7")
ALL = ("2.3.0", "2.7.0", "3.1.0", "4.4.0", "5.2.3", "6.0.7", "7.0.3")
VERSIONS = ALL if os.environ.get("LARDER_ALL_CLIENTS") else USUAL


@pytest.fixture(params=VERSIONS)
def old(request, larder, client):
    """One of them, logged in as root and using root/public."""
    client.prefer(other_client(request.param))
    client.environment["PYTHONWARNINGS"] = "ignore"
    client.version = tuple(int(part) for part in request.param.split("."))
    client.devpi("--version").ok().says(request.param)
    client.devpi("use", larder.url).ok().says(larder.url)
    client.devpi("login", "root", f"--password={larder.password}").ok().says("logged in 'root'")
    client.devpi("use", "root/public").ok().says(f"{larder.url}/root/public (logged in as root)")
    return client


def index(client, *arguments):
    """Makes or changes an index. 2.3.0 does it and then cannot show what it reads back."""
    outcome = client.devpi("index", *arguments)
    if client.version == (2, 3, 0):
        assert outcome.code == 1 and outcome.lines[-1] == "KeyError: 'pypi_whitelist'", outcome.output
        return outcome
    return outcome.ok()


@pytest.mark.pairs("sqlite-files")
def test_an_old_client_administers(old, larder):
    old.devpi("use", "-l").ok().says("root/public", "root/pypi", "app/dev")
    old.devpi("user", "-c", "alice", "password=secret123", "email=alice@example.com").ok()
    old.devpi("user", "-l").ok().says("alice", "app", "root")
    old.devpi("user", "-m", "alice", "email=a@example.com").ok()
    user = larder.json("/alice")
    assert user["email"] == "a@example.com"
    assert larder.http("alice", "secret123").get(f"{larder.url}/alice", timeout=10).ok
    old.devpi("user", "-m", "alice", "password=changed123").ok()
    old.devpi("login", "alice", "--password=secret123").failed().says("401")
    old.devpi("login", "alice", "--password=changed123").ok().says("logged in 'alice'")
    assert larder.json("/alice")["email"] == "a@example.com", "a change of one key changed another"

    index(old, "-c", "dev", "bases=root/public", "volatile=True")
    config = larder.json("/alice/dev?no_projects=")
    assert (config["bases"], config["volatile"], config["acl_upload"]) == (["root/public"], True, ["alice"])
    index(old, "alice/dev", "bases=root/public,root/pypi", "volatile=False", "acl_upload=alice,root")
    changed = larder.json("/alice/dev?no_projects=")
    assert changed == config | {
        "bases": ["root/public", "root/pypi"], "volatile": False, "acl_upload": ["alice", "root"],
    }
    old.devpi("index", "-c", "root/mine").failed().says("403")
    old.devpi("index", "-l").ok().says("alice/dev")
    old.devpi("use", "alice/dev").ok().says(f"{larder.url}/alice/dev (logged in as alice)")
    old.answer(["yes"], "devpi", "index", "--delete", "alice/dev").failed().says("403")
    index(old, "alice/dev", "volatile=True")
    old.devpi("use", "root/public").ok()
    old.answer(["yes"], "devpi", "index", "--delete", "alice/dev").ok()
    assert larder.json("/alice")["indexes"] == {}

    old.devpi("logoff").ok().says("login information deleted")
    stranger = old.devpi("index", "-c", "alice/dev").failed()
    assert "log in first" in stranger.output or "you need to be logged in" in stranger.output, stranger.output
    old.devpi("login", "root", f"--password={larder.password}").ok()
    old.answer(["yes"], "devpi", "user", "--delete", "alice").ok()
    assert "alice" not in larder.json("/")


def test_an_old_client_uploads_lists_pushes_and_removes(old, larder, new_client):
    summary = "What it is"
    dists = [wheel("mine", "1.0", summary=summary), sdist("mine", "1.0", summary=summary), wheel("mine", "1.1")]
    for dist in dists:
        dist.write(old.work / "dist")
    old.devpi("upload", "dist/mine-1.0-py3-none-any.whl").ok().says("mine-1.0-py3-none-any.whl")
    old.devpi("upload", "--from-dir", "dist").ok().says("mine-1.0.tar.gz", "mine-1.1-py3-none-any.whl")
    stored = larder.files("root/public", "mine")
    assert set(stored) == {dist.filename for dist in dists}
    for dist in dists:
        assert larder.http(None).get(stored[dist.filename], timeout=30).content == dist.content
    release = larder.json("/root/public/mine/1.0")
    assert (release["requires_python"], release["summary"]) == (">=3.8", summary)
    page = {file["filename"]: file for file in larder.page("root/public", "mine")["files"]}
    assert all(file["requires-python"] == ">=3.8" for file in page.values())

    assert old.devpi("list").ok().lines[-1].endswith("mine")
    old.devpi("list", "mine==1.0").ok().says("mine-1.0-py3-none-any.whl", "mine-1.0.tar.gz").omits("mine-1.1")
    old.devpi("list", "none").failed().says("404")
    document = json.loads(old.devpi("getjson", "/root/public/mine/1.0").ok().output)
    assert (document["type"], document["result"]["summary"]) == ("versiondata", summary)
    assert json.loads(old.devpi("getjson", "/root/public").ok().output)["result"]["projects"] == ["mine"]

    index(old, "-c", "root/final", "volatile=False")
    old.devpi("push", "mine-1.0" if old.version < (2, 7) else "mine==1.0", "root/final").ok().says("200")
    assert set(larder.files("root/final", "mine")) == {dist.filename for dist in dists[:2]}
    installed = new_client().pip_install(f"{larder.url}/root/final/+simple/", "mine").ok()
    assert installed.versions == {"mine": "1.0"}

    old.devpi("use", "root/final").ok()
    other = wheel("mine", "1.0", summary="Another").write(old.work)
    refused = old.devpi("upload", other).failed().says("409 FAIL file_upload of mine-1.0-py3-none-any.whl")
    if old.version > (2, 7):
        refused.says("mine-1.0-py3-none-any.whl already exists in non-volatile index")
    old.answer(["yes"], "devpi", "remove", "mine==1.0").failed().says("403")
    kept = larder.files("root/final", "mine")
    assert {larder.http(None).get(url, timeout=30).content for url in kept.values()} == {
        dist.content for dist in dists[:2]
    }

    old.devpi("use", "root/public").ok()
    old.answer(["yes"], "devpi", "remove", "mine==1.0").ok()
    assert set(larder.files("root/public", "mine")) == {dists[2].filename}
    old.answer(["yes"], "devpi", "remove", "mine").ok()
    assert larder.page("root/public", "mine") is None
    old.devpi("logoff").ok()
    stranger = old.devpi("upload", other).failed()
    assert "401 FAIL" in stranger.output or "need to be authenticated" in stranger.output, stranger.output
    assert larder.page("root/public", "mine") is None
