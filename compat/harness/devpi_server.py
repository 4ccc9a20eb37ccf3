"""A real devpi-server, for what Larder sends to one."""

import socket
import subprocess
import sys
from pathlib import Path

import requests

from .processes import Process

BIN = Path(sys.executable).parent
PASSWORD = "changemetoo"


class DevpiServer:
    """A fresh server with one index, `root/dev`, that knows no other server."""

    def __init__(self, folder, *arguments):
        environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
        data = str(Path(folder) / "data")
        subprocess.run(
            [str(BIN / "devpi-init"), "--serverdir", data, "--no-root-pypi", "--root-passwd", PASSWORD],
            check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = Process(
            [
                str(BIN / "devpi-server"), "--serverdir", data, "--host", "127.0.0.1", "--port", str(port),
                "--argon2-memory-cost", "8", "--argon2-parallelism", "1", "--argon2-time-cost", "1",
                *arguments,
            ],
            environment, r"[Ss]erving on (http://127\.0\.0\.1:\d+)", "stdout",
        )
        self.url = self.process.wait_until_listening()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = ("root", PASSWORD)
        self.session.headers["accept"] = "application/json"
        made = self.session.put(f"{self.url}/root/dev", json={"bases": "", "volatile": False}, timeout=60)
        assert made.ok, f"{made.status_code} {made.text}"

    def release(self, project, version):
        """The release as it stands there."""
        reply = self.session.get(f"{self.url}/root/dev/{project}/{version}", timeout=60)
        assert reply.ok, f"{reply.status_code} {reply.text}"
        return reply.json()["result"]

    def stop(self):
        self.process.kill()
