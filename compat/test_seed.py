"""The promises to those who come from the devpi container, word for word.

The client's default index is the fake upstream: what a build container has without Larder.
"""

import pytest

from harness.dists import sdist, wheel


@pytest.fixture
def larder(new_larder):
    return new_larder("--restrict-modify", "root").start()


@pytest.fixture
def container(new_client, upstream, larder):
    """Makes build containers: the seed's pip.conf, and a default index that is always there."""
    host, port = larder.url.removeprefix("http://").split(":")

    def make():
        client = new_client()
        client.configure_pip(
            f"[global]\nindex-url = {upstream.url}\n"
            f"extra-index-url = http://{host}:{port}/app/dev/+simple\n"
            f"[install]\ntrusted-host = {host}\n"
        )
        return client

    return make


def fill(client, larder, requirements):
    """The seed's lines for filling the cache, run by a shell as in a Dockerfile."""
    server = larder.url
    (client.work / "requirements.txt").write_text(requirements)
    return client.sh(
        f"""
        pip download -d packages -r requirements.txt
        pip wheel --wheel-dir=wheelhouse -r requirements.txt
        if devpi use {server}; then
            devpi use {server}/root/public --set-cfg
            devpi login root --password=$DEVPI_PASSWORD
            devpi upload --from-dir --formats=* ./wheelhouse ./packages
        else
            echo "No started devpi container found at {server}"
        fi
        """,
        DEVPI_PASSWORD=larder.password,
    )


def test_builds_are_served_from_larder_and_go_on_without_it(larder, upstream, container):
    upstream.add(wheel("beta", "2.1"))
    own = sdist("mine", "1.0"), wheel("mine", "1.0")
    for dist in own:
        assert larder.upload("root/public", dist).status_code == 200
    first = container().pip_install_configured("beta", "mine").ok()
    assert first.versions == {"beta": "2.1", "mine": "1.0"}
    larder.stop()
    without = container().pip_install_configured("beta").ok()
    assert without.versions == {"beta": "2.1"}


def test_wheelhouse_and_packages_are_uploaded_and_served(larder, upstream, container):
    upstream.add(wheel("alpha", "1.0", requires=["beta>=2"]), wheel("beta", "2.1"))
    filled = fill(container(), larder, "alpha\n").ok()
    filled.says("alpha-1.0-py3-none-any.whl", "beta-2.1-py3-none-any.whl")
    assert set(larder.files("root/public", "beta")) == {"beta-2.1-py3-none-any.whl"}

    upstream.down()
    later = container()
    served = later.pip_install(f"{larder.url}/app/dev/+simple/", "alpha").ok()
    assert served.versions == {"alpha": "1.0", "beta": "2.1"}


def test_filling_twice_is_no_failure(larder, upstream, container):
    upstream.add(wheel("beta", "2.1"))
    fill(container(), larder, "beta\n").ok()
    fill(container(), larder, "beta\n").ok()


def test_filling_without_a_server_says_so_and_the_build_goes_on(larder, upstream, container):
    upstream.add(wheel("beta", "2.1"))
    larder.stop()
    fill(container(), larder, "beta\n").ok().says("No started devpi container found")


def test_set_cfg_makes_pip_and_uploads_use_larder(larder, upstream, new_client):
    upstream.add(wheel("beta", "2.1"))
    client = new_client()
    client.devpi("use", f"{larder.url}/root/public", "--set-cfg").ok()
    installed = client.pip_install_configured("beta").ok()
    assert installed.versions == {"beta": "2.1"}
    installed.says(f"{larder.url}/root/public/+simple/")


def test_only_root_creates_and_changes(larder, new_client):
    larder.json("/alice", method="PUT", json={"password": "secret"})
    alice = new_client()
    alice.devpi("use", larder.url).ok()
    alice.devpi("login", "alice", "--password=secret").ok()
    alice.devpi("index", "-c", "alice/dev").failed().says("403")
    alice.devpi("user", "-c", "bob", "password=x").failed().says("403")
    larder.json("/alice/dev", method="PUT", json={})


def test_root_public_admits_every_name_of_the_mirror(larder):
    config = larder.json("/root/public", params={"no_projects": ""})
    assert config["mirror_whitelist"] == ["*"]
    assert config["bases"] == ["root/pypi"]
    assert larder.json("/app/dev", params={"no_projects": ""})["bases"] == ["root/public"]


def test_app_cannot_log_in_until_root_gives_it_a_password(larder, client):
    client.devpi("use", larder.url).ok()
    for guess in ("", "app", larder.password):
        client.devpi("login", "app", f"--password={guess}").failed()
    larder.json("/app", method="PATCH", json={"password": "given"})
    client.devpi("login", "app", "--password=given").ok()
