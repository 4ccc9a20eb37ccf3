"""Builds this source tree into a wheel, with the standard library only (PEP 517)."""

import base64
import hashlib
import os
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)


def _metadata():
    with open("PKG-INFO", "rb") as file:
        return file.read()


def _stem():
    fields = dict(
        line.split(": ", 1) for line in _metadata().decode().split("\n\n")[0].splitlines() if ": " in line
    )
    name = fields["Name"].lower().replace("-", "_").replace(".", "_")
    return f"{name}-{fields['Version'].replace('-', '_')}"


def _info_files():
    info = f"{_stem()}.dist-info"
    files = {
        f"{info}/METADATA": _metadata(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if os.path.exists("entry_points.txt"):
        with open("entry_points.txt", "rb") as file:
            files[f"{info}/entry_points.txt"] = file.read()
    return files


def _source_files():
    files = {}
    for folder, _, names in sorted(os.walk("src")):
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, "src").replace(os.sep, "/")] = file.read()
    return files


def _record(files):
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}")
    return lines


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    for path, content in _info_files().items():
        target = os.path.join(metadata_directory, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
    return f"{_stem()}.dist-info"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {**_source_files(), **_info_files()}
    record = f"{_stem()}.dist-info/RECORD"
    files[record] = ("\n".join([*_record(files), f"{record},,"]) + "\n").encode()
    filename = f"{_stem()}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return filename


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("this tree is a source distribution already")
