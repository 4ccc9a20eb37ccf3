"""The two pairs Larder keeps its data in, each place fresh and empty."""

import copy
import os
import re
import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from .dists import Dist

PAIRS = ("sqlite-files", "postgres-s3")
DIGEST = re.compile(r"^[0-9a-f]{64}$")


class Place:
    """Where one Larder, or the nodes of one, keeps everything."""

    def __init__(self, folder, pair):
        self.folder, self.pair = Path(folder), pair
        self.folder.mkdir(parents=True, exist_ok=True)
        self.serverdir = self.folder / "server"
        self.environment, self.shared = {}, []
        if pair == "postgres-s3":
            self._prepare_services()

    def _prepare_services(self):
        server, endpoint = os.environ.get("LARDER_TEST_PG"), os.environ.get("LARDER_TEST_S3")
        if not server or not endpoint:
            missing = "no PostgreSQL and S3 here: run this by scripts/with-services"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        database = f"compat_{uuid.uuid4().hex}"
        parts = urlsplit(server)
        subprocess.run(
            ["psql", "-q", "-d", server, "-c", f'create database "{database}" template template0'],
            check=True,
        )
        bucket = "compat-" + uuid.uuid4().hex[:20]
        self._bucket = boto3.resource("s3", endpoint_url=endpoint).Bucket(bucket)
        self._bucket.create()
        self.shared = [
            "--database", parts._replace(path=f"/{database}").geturl(),
            "--storage", f"s3://{bucket}/blobs",
        ]
        self.environment = {key: value for key, value in os.environ.items() if key.startswith("AWS_")}
        self.environment.pop("AWS_CA_BUNDLE", None)

    @property
    def arguments(self):
        return ["--serverdir", str(self.serverdir), *self.shared]

    def another_node(self, name):
        """A place with the same database and file store and a folder of its own."""
        assert self.shared, "only services can be shared"
        other = copy.copy(self)
        other.serverdir = self.folder / name
        return other

    def blobs(self):
        """Every stored file as (digest in its name, content)."""
        if self.pair == "sqlite-files":
            paths = [path for path in self.serverdir.rglob("*") if DIGEST.match(path.name)]
            return [(path.name, path.read_bytes()) for path in paths]
        objects = self._bucket.objects.all()
        return [(item.key.rsplit("/", 1)[1], item.get()["Body"].read()) for item in objects]

    def broken_blobs(self):
        """Digests whose content is something else."""
        return [digest for digest, body in self.blobs() if Dist("", body).sha256 != digest]

    def leftovers(self):
        """Files under the data folder that are neither blobs nor the server's few own files."""
        own = re.compile(r"(\.sqlite3?|\.db)(-wal|-shm)?$|^\.(lock|secret|nodeinfo)$")
        files = [path for path in self.serverdir.rglob("*") if path.is_file()]
        return sorted(
            str(path.relative_to(self.serverdir)) for path in files
            if not DIGEST.match(path.name) and not own.search(path.name)
        )
