"""Makes `docs/devpi-differences.md` of the tables: `python -m oracle.document` in `compat/` writes it."""

from harness.processes import ROOT
from oracle.differences import ALWAYS, CLOSED

PATH = ROOT / "docs" / "devpi-differences.md"
INTRODUCTION = """\
# What differs from devpi-server

Larder speaks the interface of devpi-server 6.20. This page lists what it guarantees beyond, and where its defaults are
closed. `--devpi-compat` turns the defaults of the second table back.

The page is made of `compat/oracle/differences.py` by `make docs-differences`. A test asks devpi-server and Larder the
same, more than a thousand times, and accepts no other difference than these.
"""


def document():
    always = [f"| {row.subject} | {row.larder} | {row.reason} |" for row in ALWAYS]
    closed = [f"| {row.subject} | {row.larder} | {row.reason} |" for row in CLOSED]
    return "\n".join([
        INTRODUCTION,
        "## Always", "", "| subject | Larder | because |", "|---|---|---|", *always, "",
        "## Closed by default, open with `--devpi-compat`", "",
        "| subject | default | with `--devpi-compat` |", "|---|---|---|", *closed, "",
    ])


if __name__ == "__main__":
    PATH.write_text(document())
