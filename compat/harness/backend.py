"""A build backend without requirements, copied into projects that the tests build.

It reads name and version from pyproject.toml and packs one module; what it makes is complete enough
for pip, tox and every uploader. It imports nothing of the harness: it travels in the sdist.
"""

import io
import os
import tarfile
import tomllib
import zipfile


def _project():
    with open("pyproject.toml", "rb") as text:
        return tomllib.load(text)["project"]


def _metadata(project):
    needs = "".join(f"Requires-Dist: {need}\n" for need in project.get("dependencies", []))
    return (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        f"Summary: {project.get('description', '')}\n{needs}"
    ).encode()


def _module(project):
    return project["name"].replace("-", "_")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    project = _project()
    module = _module(project)
    info = f"{module}-{project['version']}.dist-info"
    files = {
        f"{module}.py": f"__version__ = {project['version']!r}\n".encode(),
        f"{info}/METADATA": _metadata(project),
        f"{info}/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
            b"Tag: py2-none-any\nTag: py3-none-any\n"
        ),
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]).encode()
    name = f"{module}-{project['version']}-py2.py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, body in files.items():
            archive.writestr(path, body)
    return name


def build_sdist(sdist_directory, config_settings=None):
    project = _project()
    top = f"{_module(project)}-{project['version']}"
    with tarfile.open(os.path.join(sdist_directory, f"{top}.tar.gz"), "w:gz") as archive:
        body = _metadata(project)
        entry = tarfile.TarInfo(f"{top}/PKG-INFO")
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
        for path in sorted(os.listdir(".")):
            if os.path.isfile(path):
                archive.add(path, f"{top}/{path}")
    return f"{top}.tar.gz"
