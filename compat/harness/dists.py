"""Makes wheels and sdists: tiny, valid, and the same bytes for the same arguments."""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

EPOCH = (2020, 1, 1, 0, 0, 0)
EPOCH_SECS = 1577836800


@dataclass(frozen=True)
class Dist:
    filename: str
    content: bytes

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()

    def write(self, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        path.write_bytes(self.content)
        return path


def metadata(name, version, requires=(), summary="A test distribution", requires_python=">=3.8"):
    lines = [
        "Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {summary}",
        f"Requires-Python: {requires_python}", *(f"Requires-Dist: {need}" for need in requires),
    ]
    return "\n".join(lines) + "\n\nMade for a test.\n"


def wheel(name, version, *, requires=(), summary="A test distribution", payload=b""):
    """A pure wheel whose module says its version; `payload` makes it larger or different."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": f"__version__ = {version!r}\n".encode(),
        f"{info}/METADATA": metadata(name, version, requires, summary).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if payload:
        files[f"{module}/payload.bin"] = payload
    record = "".join(f"{path},sha256={_record_hash(body)},{len(body)}\n" for path, body in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, body in files.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, body)
    return Dist(f"{module}-{version}-py3-none-any.whl", out.getvalue())


def sdist(name, version, *, summary="A test distribution"):
    module = name.replace("-", "_")
    top = f"{module}-{version}"
    files = {
        f"{top}/PKG-INFO": metadata(name, version, summary=summary).encode(),
        f"{top}/{module}.py": f"__version__ = {version!r}\n".encode(),
    }
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, body in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime = len(body), EPOCH_SECS
            archive.addfile(entry, io.BytesIO(body))
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=EPOCH_SECS) as packed:
        packed.write(plain.getvalue())
    return Dist(f"{top}.tar.gz", out.getvalue())


def noise(size, seed):
    """Bytes that do not compress and differ between seeds."""
    blocks = -(-size // 32)
    return b"".join(hashlib.sha256(f"{seed}/{i}".encode()).digest() for i in range(blocks))[:size]


def _record_hash(body):
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
