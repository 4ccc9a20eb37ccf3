"""The two servers: each with nothing in it but root, both mirroring the same upstream."""

import base64
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import requests

from harness.clients import BIN
from harness.places import Place
from harness.processes import Larder, Process

PASSWORD = "the-password-of-root"
CHEAP_SECRET = (
    "--argon2-memory-cost", "8", "--argon2-parallelism", "1", "--argon2-time-cost", "1",
)
WEB = BIN.parent / "devpi-web"
SEEDED = ("/root/public", "/root/pypi", "/app")


class Side:
    """One of the two: where it listens, who is logged in, what its answers said so far."""

    def __init__(self, name, url, process):
        self.name, self.url, self.process = name, url, process
        self.tokens, self.saved = {}, {}
        self.serial, self.has_changed = 0, False
        self.http = requests.Session()
        self.http.trust_env = False

    def notice(self, serial):
        """Remembers the serial of an answer, and whether it was raised since the one before."""
        before, self.serial = self.serial, int(serial or self.serial)
        self.has_changed = self.serial > before

    def login(self, user, password):
        reply = self.http.post(
            f"{self.url}/+login", json={"user": user, "password": password},
            headers={"accept": "application/json"}, timeout=30,
        )
        assert reply.status_code == 200, f"{self.name}: {reply.status_code} {reply.text}"
        self.tokens[user] = reply.json()["result"]["password"]

    def ask(self, path, accept="application/json"):
        """The JSON of a page as root sees it, or nothing."""
        secret = base64.b64encode(f"root:{self.tokens['root']}".encode()).decode()
        headers = {"accept": accept, "x-devpi-auth": secret}
        reply = self.http.get(self.url + path, headers=headers, timeout=60)
        return reply.json() if reply.status_code == 200 else {}


def empty_devpi(folder):
    """A data folder that every devpi of a run starts from a copy of."""
    subprocess.run(
        [str(BIN / "devpi-init"), "--serverdir", str(folder), "--no-root-pypi", "--root-passwd", PASSWORD],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(folder.parent),
    )
    return folder


@contextmanager
def devpi(folder, template, options=(), with_web=False):
    """The server alone, or with devpi-web, which lies where it does not find it by itself."""
    data = Path(folder) / "devpi"
    shutil.copytree(template, data)
    environment = {**_environment(folder), **({"PYTHONPATH": str(WEB)} if with_web else {})}
    command = [
        str(BIN / "devpi-server"), "--serverdir", str(data), "--host", "127.0.0.1", "--port", "0",
        *CHEAP_SECRET, *options,
    ]
    process = Process(command, environment, r"Serving on (http://127\.0\.0\.1:\d+)", "stdout")
    try:
        side = Side("devpi", process.wait_until_listening(), process)
        side.login("root", PASSWORD)
        yield side
    finally:
        process.kill()


@contextmanager
def larder(folder, options=("--devpi-compat",)):
    """A Larder without what its first start makes beside root."""
    node = Larder(
        Place(Path(folder) / "larder", "sqlite-files"), "--no-root-pypi", *options, password=PASSWORD,
    ).start()
    try:
        side = Side("Larder", node.url, node.process)
        side.login("root", PASSWORD)
        for path in SEEDED:
            node.http().delete(node.url + path, timeout=30)
        yield side
    finally:
        node.kill()


def _environment(home):
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}
