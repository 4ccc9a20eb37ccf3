"""One exchange: what is sent to both servers, what of the answers is compared, how they may differ."""

import base64
import email
import io
import tarfile
import zipfile
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

JSON = "application/json"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
PIP = "pip/26.0"


@dataclass(frozen=True)
class Exchange:
    """`compares` are further headers; `looks_at` is all, the status, the shape of JSON, its links
    as sent, or whether the serial was raised.
    `path` may name what an earlier answer saved: `/{file}`. `by` sends the token of that user's last
    login, `basic` a user and a password. `differs` are ids of `differences.py`; where such a difference does
    not itself tell how to read Larder's answer, `larder` gives its status or (status, words in it)."""

    method: str
    path: str
    json: object = None
    data: object = None
    files: object = None
    by: str = None
    basic: tuple = None
    accept: str = JSON
    headers: dict = field(default_factory=dict)
    saves: dict = field(default_factory=dict)
    compares: tuple = ()
    looks_at: str = "all"
    with_reason: bool = False
    differs: tuple = ()
    larder: object = None
    note: str = ""

    def __post_init__(self):
        if isinstance(self.differs, str):
            object.__setattr__(self, "differs", (self.differs,))

    @property
    def title(self):
        who = f" as {self.by or self.basic[0]}" if self.by or self.basic else ""
        return f"{self.method} {self.path}{who}" + (f" ({self.note})" if self.note else "")

    def send(self, side):
        headers = {} if self.accept is None else {"accept": self.accept}
        if self.by is not None:
            secret = f"{self.by}:{side.tokens[self.by]}"
            headers["x-devpi-auth"] = base64.b64encode(secret.encode()).decode()
        headers.update({name: written.format_map(side.saved) for name, written in self.headers.items()})
        path = self.path.format_map(side.saved)
        reply = side.http.request(
            self.method, side.url + path, json=self.json, data=self.data, files=self.files, headers=headers,
            auth=self.basic, allow_redirects=False, timeout=60,
        )
        side.notice(reply.headers.get("x-devpi-serial"))
        self._keep(reply, side)
        return reply

    def _keep(self, reply, side):
        if self.path == "/+login" and reply.ok and self.json:
            side.tokens[self.json["user"]] = reply.json()["result"]["password"]
        for name, find in self.saves.items():
            try:
                side.saved[name] = find(reply).replace(side.url, "").lstrip("/")
            except (ValueError, KeyError, IndexError, TypeError, AttributeError):
                side.saved[name] = f"no-{name}-in-the-answer"


@dataclass(frozen=True)
class Step:
    """Something that happens between two exchanges, such as another file on the upstream; it may find a
    disagreement itself and tell it."""

    title: str
    act: object


def get(path, **more):
    return Exchange("GET", path, **more)


def head(path, **more):
    return Exchange("HEAD", path, **more)


def put(path, json=None, **more):
    return Exchange("PUT", path, json=json, **more)


def patch(path, json=None, **more):
    return Exchange("PATCH", path, json=json, **more)


def post(path, json=None, **more):
    return Exchange("POST", path, json=json, **more)


def delete(path, **more):
    return Exchange("DELETE", path, **more)


def push(index, json, method="PUSH", **more):
    return Exchange(method, f"/{index}", json=json, **more)


def login(user, password, **more):
    return post("/+login", {"user": user, "password": password}, **more)


def page(index, project, accept=SIMPLE_JSON, **more):
    """A project page in simple JSON."""
    return get(f"/{index}/+simple/{project}/", accept=accept, **more)


def form(index, fields, **more):
    """A form without a file, as a browser or an old tool sends it."""
    return Exchange("POST", f"/{index}/", data=urlencode(fields, doseq=True),
                    headers={"content-type": "application/x-www-form-urlencoded"}, accept=None,
                    with_reason=True, **more)


def upload(index, dist, *, fields=None, filename=None, content=None, without=(), **more):
    """A file as twine sends it, the form made of what is inside; `fields` are added or replace."""
    name, version = dist.filename.removesuffix(".tar.gz").removesuffix(".doc.zip").split("-")[:2]
    sent = {":action": "file_upload", "protocol_version": "1", "name": name, "version": version,
            **_inside(dist), **(fields or {})}
    pairs = [(key, item) for key, written in sent.items() if key not in without
             for item in (written if isinstance(written, list) else [written])]
    body = dist.content if content is None else content
    more = {"accept": None, "with_reason": True, **more}
    if "content" in without:
        return Exchange("POST", f"/{index}/", files=[(key, (None, item)) for key, item in pairs], **more)
    files = {"content": (filename or dist.filename, body, "application/octet-stream")}
    return Exchange("POST", f"/{index}/", data=pairs, files=files, **more)


def _inside(dist):
    """The fields that twine reads from the METADATA or PKG-INFO of a file."""
    written = _metadata(dist)
    if not written:
        return {}
    read = email.message_from_bytes(written)
    kept = {"metadata_version": "Metadata-Version", "name": "Name", "version": "Version", "summary": "Summary",
            "requires_python": "Requires-Python"}
    several = {"requires_dist": "Requires-Dist", "classifiers": "Classifier"}
    return {
        **{field: read[header] for field, header in kept.items() if header in read},
        **{field: read.get_all(header) for field, header in several.items() if header in read},
        "description": read.get_payload(),
    }


def _metadata(dist):
    content = io.BytesIO(dist.content)
    try:
        if dist.filename.endswith((".whl", ".zip")):
            with zipfile.ZipFile(content) as archive:
                return next(archive.read(name) for name in archive.namelist() if name.endswith("/METADATA"))
        with tarfile.open(fileobj=content) as archive:
            return next(archive.extractfile(each).read() for each in archive if each.name.endswith("/PKG-INFO"))
    except (tarfile.TarError, zipfile.BadZipFile, StopIteration):
        return b""


def people(*names):
    """Users whose passwords are their names, logged in."""
    made = [put(f"/{name}", {"password": name}, by="root") for name in names]
    return [exchange for pair in zip(made, [login(name, name) for name in names]) for exchange in pair]


def differing(name, larder, *exchanges):
    """Exchanges that differ for the same reason and are answered alike by Larder."""
    return [replace(exchange, differs=(*exchange.differs, name), larder=larder) for exchange in exchanges]
