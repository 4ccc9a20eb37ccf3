"""What a user of a real devpi-server takes along to a Larder."""

import base64
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from harness.processes import Process

BIN = Path(sys.executable).parent
PASSWORD = "the password of root at devpi"
CHEAP = ["--argon2-memory-cost", "8", "--argon2-parallelism", "1", "--argon2-time-cost", "1"]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    return path


@pytest.fixture
def devpi(tmp_path, secret):
    """A real devpi-server with nothing but root."""
    data = tmp_path / "devpi"
    subprocess.run(
        [BIN / "devpi-init", "--serverdir", data, "--no-root-pypi", "--root-passwd", PASSWORD],
        check=True, capture_output=True,
    )
    command = [
        BIN / "devpi-server", "--serverdir", data, "--host", "127.0.0.1", "--port", str(free_port()),
        "--secretfile", secret, *CHEAP,
    ]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = Process([str(word) for word in command], environment, r"[Ss]erving.*(http://\S+:\d+)", "stdout")
    yield process.wait_until_listening()
    process.kill()


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
    reply = session.post(devpi + "/+login", json=login, headers={"accept": "application/json"}, timeout=60)
    token = reply.json()["result"]["password"]
    assert authstatus(keeping, token) == ["ok", "root", []]
    assert authstatus(keeping, token.replace("root", "app ")) == ["noauth", "", []]
    other = secret.with_name("other")
    other.touch(mode=0o600)
    other.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    keeping.stop()
    keeping.start("--secretfile", str(other))
    assert authstatus(keeping, token) == ["noauth", "", []]
