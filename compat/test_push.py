"""`devpi push`: to another index, from a mirror, to another Larder, to a real devpi-server."""

import zipfile

import pytest

from harness.clients import Client
from harness.devpi_server import PASSWORD, DevpiServer
from harness.dists import sdist, wheel


@pytest.fixture
def devpi(larder, client):
    """devpi-client, logged in as root, with an upload in root/public and a final index beside it."""
    client.devpi("use", larder.url).ok()
    client.devpi("login", "root", f"--password={larder.password}").ok()
    client.devpi("index", "-c", "root/final", "volatile=False", "bases=").ok()
    client.devpi("use", "root/public").ok()
    for dist in (wheel("mine", "1.0", summary="What it is"), sdist("mine", "1.0"), wheel("mine", "1.1")):
        dist.write(client.work / "dist")
    client.devpi("upload", "--from-dir", "dist").ok()
    return client.devpi


def pypirc(client: Client, name, url, user, password):
    lines = ["[distutils]", f"index-servers = {name}", "", f"[{name}]", f"repository = {url}"]
    lines += [f"username = {user}", f"password = {password}", ""]
    (client.home / ".pypirc").write_text("\n".join(lines))


def test_a_release_is_pushed_to_another_index(devpi, larder, client):
    pushed = devpi("push", "mine==1.0", "root/final").ok()
    pushed.says("200 register mine 1.0 -> root/final", "200 store_releasefile root/final/+f/", "mine-1.0.tar.gz")
    assert set(larder.files("root/final", "mine")) == {"mine-1.0-py3-none-any.whl", "mine-1.0.tar.gz"}
    there = {file["filename"]: file for file in larder.page("root/final", "mine")["files"]}
    here = {file["filename"]: file for file in larder.page("root/public", "mine")["files"]}
    for name, file in there.items():
        assert file["hashes"] == here[name]["hashes"]
        assert file["upload-time"] == here[name]["upload-time"]
    installed = client.pip_install(f"{larder.url}/root/final/+simple/", "mine").ok()
    assert installed.versions == {"mine": "1.0"}
    devpi("push", "mine==1.0", "root/final").ok()


def test_a_push_that_cannot_be_says_why(devpi, larder, client, new_client):
    devpi("push", "mine==9.0", "root/final").failed().says("400", "there are no files for mine 9.0 on stage root/public")
    devpi("push", "mine==1.0", "root/nowhere").failed().says("404", "The stage root/nowhere could not be found.")
    devpi("push", "mine==1.0", "root/pypi").failed().says("401", "user 'root' cannot upload to 'root/pypi'")
    devpi("push", "mine==1.0", "root/final").ok()
    devpi("upload", wheel("mine", "1.0", summary="Another").write(client.work)).ok()
    refused = devpi("push", "mine==1.0", "root/final").failed()
    refused.says("409", "mine-1.0-py3-none-any.whl already exists in non-volatile index")
    assert larder.json("/root/final/mine/1.0")["summary"] != "Another"

    devpi("user", "-c", "alice", "password=secret").ok()
    alice = new_client()
    alice.devpi("use", f"{larder.url}/root/public").ok()
    alice.devpi("push", "mine==1.0", "root/final").failed().says("401")
    alice.devpi("login", "alice", "--password=secret").ok()
    alice.devpi("push", "mine==1.0", "root/final").failed().says("401", "user 'alice' cannot upload to 'root/final'")
    alice.devpi("index", "-c", "alice/own", "bases=").ok()
    alice.devpi("push", "mine==1.0", "alice/own").ok()
    assert set(larder.files("alice/own", "mine")) == {"mine-1.0-py3-none-any.whl", "mine-1.0.tar.gz"}


def test_documentation_is_left_out_or_pushed_alone(devpi, larder, client):
    docs = client.work / "mine-1.0.doc.zip"
    with zipfile.ZipFile(docs, "w") as archive:
        archive.writestr("index.html", "<h1>Mine</h1>")
    devpi("upload", docs).ok()
    without = devpi("push", "--no-docs", "mine==1.0", "root/final").ok()
    assert "store_doczip" not in without.output
    assert larder.http(None).get(f"{larder.url}/root/final/mine/1.0/+doc/index.html").status_code == 404
    devpi("push", "--only-docs", "mine==1.0", "root/final").ok().says("200 store_doczip mine 1.0 -> root/final")
    assert larder.http(None).get(f"{larder.url}/root/final/mine/1.0/+doc/index.html").text == "<h1>Mine</h1>"
    assert len(larder.files("root/final", "mine")) == 2
    devpi("push", "--only-docs", "mine==1.1", "root/final").failed().says("404", "no release/files found for mine 1.1")


def test_a_release_of_a_mirror_is_brought_here(devpi, larder, upstream, client):
    upstream.add(wheel("beta", "1.0", summary="From afar"), sdist("beta", "1.0"), wheel("beta", "2.0"))
    devpi("use", "root/pypi").ok()
    devpi("push", "beta==1.0", "root/final").ok().says("store_releasefile", "beta-1.0-py3-none-any.whl")
    assert set(larder.files("root/final", "beta")) == {"beta-1.0-py3-none-any.whl", "beta-1.0.tar.gz"}
    assert larder.json("/root/final/beta/1.0")["summary"] == "From afar"
    upstream.down()
    installed = client.pip_install(f"{larder.url}/root/final/+simple/", "beta").ok()
    assert installed.versions == {"beta": "1.0"}


def test_another_larder_takes_a_push(devpi, larder, client, new_larder, new_place):
    other = new_larder(on=new_place("other")).start()
    pypirc(client, "other", f"{other.url}/root/public/", "root", other.password)
    devpi("push", "mine==1.0", "pypi:other").ok().says("200 upload root/public/+f/", "mine-1.0.tar.gz")
    assert set(other.files("root/public", "mine")) == {"mine-1.0-py3-none-any.whl", "mine-1.0.tar.gz"}
    devpi("push", "--register-project", "mine==1.1", "pypi:other").ok().says("200 register mine 1.1")
    assert len(other.files("root/public", "mine")) == 3
    for word in (other.password, "Basic "):
        assert word not in larder.log

    pypirc(client, "other", f"{other.url}/root/public/", "root", "wrong-secret")
    wrong = devpi("push", "mine==1.0", "pypi:other").failed().says("401 upload")
    assert "wrong-secret" not in wrong.output.replace(str(client.home), "")
    assert "wrong-secret" not in larder.log
    other.kill()
    devpi("push", "mine==1.0", "pypi:other").failed().says("exception on release upload:", "cannot be reached")


def test_who_does_not_run_the_server_pushes_to_public_addresses_only(devpi, larder, new_client, new_larder, new_place):
    devpi("user", "-c", "alice", "password=secret").ok()
    other = new_larder(on=new_place("other")).start()
    alice = new_client()
    alice.devpi("use", f"{larder.url}/root/public").ok()
    pypirc(alice, "other", f"{other.url}/root/public/", "root", other.password)
    alice.devpi("push", "mine==1.0", "pypi:other").failed().says("401", "log in first")
    alice.devpi("login", "alice", "--password=secret").ok()
    alice.devpi("push", "mine==1.0", "pypi:other").failed().says("400", "is not a public one")
    assert other.page("root/public", "mine") is None


@pytest.mark.pairs("sqlite-files")
def test_a_real_devpi_server_takes_a_push(devpi, larder, client, tmp_path):
    (tmp_path / "devpi").mkdir()
    server = DevpiServer(tmp_path / "devpi")
    try:
        pypirc(client, "real", f"{server.url}/root/dev/", "root", PASSWORD)
        devpi("push", "--register-project", "mine==1.0", "pypi:real").ok().says("200 register mine 1.0", "200 upload")
        release = server.release("mine", "1.0")
        names = {link["href"].rsplit("/", 1)[1] for link in release["+links"]}
        assert names == {"mine-1.0-py3-none-any.whl", "mine-1.0.tar.gz"}
        here = {file["hashes"]["sha256"] for file in larder.page("root/public", "mine")["files"]}
        assert {link["hashes"]["sha256"] for link in release["+links"]} <= here
        devpi("push", "mine==1.0", "pypi:real").ok()

        devpi("upload", wheel("mine", "1.0", summary="Another").write(client.work)).ok()
        refused = devpi("push", "mine==1.0", "pypi:real").failed()
        refused.says("409 upload", "mine-1.0-py3-none-any.whl already exists in non-volatile index")
    finally:
        server.stop()
