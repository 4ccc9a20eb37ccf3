"""What a user of a real devpi-server takes along to a Larder."""

import base64
import secrets

import pytest
import requests

from harness.devpi_server import PASSWORD, DevpiServer

CHEAP = ["--argon2-memory-cost", "8", "--argon2-parallelism", "1", "--argon2-time-cost", "1"]


def new_secret(path):
    path.touch(mode=0o600)
    path.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    return path


@pytest.fixture
def secret(tmp_path):
    return new_secret(tmp_path / "secret")


@pytest.fixture
def devpi(tmp_path, secret):
    server = DevpiServer(tmp_path, "--secretfile", str(secret))
    yield server
    server.stop()


def authstatus(larder, secret):
    session = larder.http(None)
    pair = base64.b64encode(f"root:{secret}".encode()).decode()
    reply = session.get(larder.url + "/+api", headers={"x-devpi-auth": pair}, timeout=60)
    return reply.json()["result"]["authstatus"]


@pytest.mark.pairs("sqlite-files")
def test_a_login_at_devpi_is_good_here_while_its_secret_file_is_kept(new_larder, devpi, secret):
    keeping = new_larder("--secretfile", str(secret), *CHEAP).start()
    session = requests.Session()
    session.trust_env = False
    login = {"user": "root", "password": PASSWORD}
    reply = session.post(devpi.url + "/+login", json=login, headers={"accept": "application/json"}, timeout=60)
    token = reply.json()["result"]["password"]
    assert authstatus(keeping, token) == ["ok", "root", []]
    assert authstatus(keeping, token.replace("root", "app ")) == ["noauth", "", []]
    other = new_secret(secret.with_name("other"))
    keeping.stop()
    keeping.start("--secretfile", str(other))
    assert authstatus(keeping, token) == ["noauth", "", []]
