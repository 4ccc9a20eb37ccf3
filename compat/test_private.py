"""Private indexes with every client: who has credentials gets in, in whatever way the client has them."""

import json
import os
import sys

import pytest

from harness.clients import other_client
from harness.dists import sdist, wheel

SECRET = "secret:12/3@4"


@pytest.fixture
def private(larder):
    """alice/priv, which alice alone reads, with `secret` 1.0; its password needs quoting in URLs."""
    larder.json("/alice", method="PUT", json={"password": SECRET})
    larder.json("/bob", method="PUT", json={"password": "secret123"})
    larder.json("/alice/priv", method="PUT", json={"acl_read": "alice", "acl_upload": "alice,root"})
    larder.upload("alice/priv", wheel("secret", "1.0")).raise_for_status()
    return f"{larder.url}/alice/priv/+simple/"


def with_user(url, user, password):
    quoted = password.replace(":", "%3A").replace("/", "%2F").replace("@", "%40")
    return url.replace("http://", f"http://{user}:{quoted}@")


def netrc(client, larder, user, password):
    path = client.home / ".netrc"
    path.write_text(f"machine 127.0.0.1 login {user} password {password}\n")
    path.chmod(0o600)
    client.environment["NETRC"] = str(path)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_without_credentials_the_project_is_asked_for_and_refused(installer, larder, private, new_client):
    stranger = getattr(new_client(), f"{installer}_install")(private, "secret").failed()
    stranger.says("401 Unauthorized" if installer == "uv" else "No matching distribution")
    for user, password in (("bob", "secret123"), ("alice", "wrong"), ("nobody", "x")):
        url = with_user(private, user, password)
        getattr(new_client(), f"{installer}_install")(url, "secret").failed().omits(password + "@")
    page = larder.http(None).get(f"{private}secret/", timeout=10)
    assert (page.status_code, page.headers["www-authenticate"]) == (401, 'Basic realm="pypi"')
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_credentials_in_the_url(installer, larder, private, new_client):
    install = getattr(new_client(), f"{installer}_install")
    assert install(with_user(private, "alice", SECRET), "secret").ok().versions == {"secret": "1.0"}
    # the same cache, and somebody who may not
    assert install(with_user(private, "bob", "secret123"), "secret").failed()
    token = larder.http(None).post(
        f"{larder.url}/+login", json={"user": "alice", "password": SECRET}, timeout=10
    ).json()["result"]["password"]
    install = getattr(new_client(), f"{installer}_install")
    assert install(with_user(private, "alice", token), "secret").ok().versions == {"secret": "1.0"}


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.pairs("sqlite-files")
def test_credentials_in_netrc(installer, larder, private, new_client):
    client = new_client()
    netrc(client, larder, "alice", SECRET)
    install = getattr(client, f"{installer}_install")
    assert install(private, "secret").ok().versions == {"secret": "1.0"}
    # an index that shows through another: the client sends what it has where it must
    larder.json("/alice/open", method="PUT", json={"bases": "alice/priv", "acl_read": ":AUTHENTICATED:"})
    open_url = f"{larder.url}/alice/open/+simple/"
    assert install(open_url, "secret").ok().versions == {"secret": "1.0"}
    netrc(client, larder, "bob", "secret123")
    assert getattr(new_client(), f"{installer}_install")(open_url, "secret").failed()


@pytest.mark.pairs("sqlite-files")
def test_uv_takes_credentials_from_variables_and_from_its_configuration(larder, private, client):
    project = client.work / "pyproject.toml"
    project.write_text(
        '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.8"\ndependencies = ["secret"]\n\n'
        f'[[tool.uv.index]]\nname = "ours"\nurl = "{private}"\ndefault = true\n'
    )
    lock = ("uv", "lock", "--python", sys.executable)
    client.run(*lock).failed().says("401 Unauthorized")
    named = {"UV_INDEX_OURS_USERNAME": "alice", "UV_INDEX_OURS_PASSWORD": SECRET}
    client.run(*lock, **named).ok()
    locked = (client.work / "uv.lock").read_text()
    assert 'name = "secret"\nversion = "1.0"' in locked and SECRET not in locked
    client.run("uv", "sync", "--locked", "--no-install-project", "--python", sys.executable, **named).ok()
    assert list((client.work / ".venv").rglob("secret/__init__.py"))


@pytest.mark.pairs("sqlite-files")
def test_a_keyring_program_answers_the_challenge(larder, private, client):
    document = json.dumps({"username": "alice", "password": SECRET})
    client.script(
        "keyring", f"#!/bin/sh\ncase \"$*\" in *json*) echo '{document}' ;; *) echo '{SECRET}' ;; esac\n"
    )
    url = private.replace("http://", "http://alice@")
    by_pip = client.pip_install(url, "--keyring-provider", "subprocess", "secret").ok()
    by_uv = client.uv_install(url, "--keyring-provider", "subprocess", "secret").ok()
    assert by_pip.versions == by_uv.versions == {"secret": "1.0"}


def test_a_private_file_needs_credentials_too(larder, private, client):
    dist = wheel("secret", "1.0")
    url = f"{larder.url}/alice/priv/+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}"
    client.pip("download", "--no-deps", url).failed().says("401")
    client.pip("download", "--no-deps", with_user(url, "alice", SECRET)).ok()
    assert (client.work / dist.filename).read_bytes() == dist.content


@pytest.mark.parametrize("tool", ["twine", "uv_publish"])
def test_uploads_to_a_private_index(tool, larder, private, client):
    upload = getattr(client, tool)
    path = sdist("more", "1.0").write(client.work)
    index = f"{larder.url}/alice/priv/"
    upload(index, "bob", "secret123", path).failed().says("403")
    upload(index, "alice", "wrong", path).failed().says("401")
    upload(index, "alice", SECRET, path).ok()
    page = larder.http("alice", SECRET).get(f"{private}more/", timeout=10)
    assert page.status_code == 200 and path.name in page.text
    assert larder.http(None).get(f"{private}more/", timeout=10).status_code == 401


@pytest.mark.pairs("sqlite-files")
@pytest.mark.skipif(not os.environ.get("LARDER_ALL_CLIENTS"), reason="poetry is run with all clients only")
def test_poetry_installs_from_and_publishes_to_a_private_index(larder, private, client):
    client.prefer(other_client("poetry"))
    client.environment |= {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_NO_INTERACTION": "1"}
    (client.work / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\nrequires-python = ">=3.8"\ndependencies = ["secret"]\n\n'
        '[tool.poetry]\npackages = [{include = "app.py"}]\n\n'
        f'[[tool.poetry.source]]\nname = "ours"\nurl = "{private}"\npriority = "primary"\n\n'
        '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    )
    (client.work / "app.py").write_text("")
    client.run("poetry", "lock").failed()
    named = {"POETRY_HTTP_BASIC_OURS_USERNAME": "alice", "POETRY_HTTP_BASIC_OURS_PASSWORD": SECRET}
    client.run("poetry", "lock", **named).ok()
    client.run("poetry", "install", "--no-root", **named).ok()
    assert list((client.work / ".venv").rglob("secret/__init__.py"))
    target = {"POETRY_REPOSITORIES_OURS_URL": f"{larder.url}/alice/priv/", **named}
    client.run("poetry", "publish", "--build", "-r", "ours", **target).ok()
    client.run("poetry", "publish", "-r", "ours", "--skip-existing", **target).ok()
    release = larder.json("/alice/priv/app/1.0")
    assert len(release["+links"]) == 2
