"""Every difference between Larder and devpi-server, in one place; `docs/devpi-differences.md` is made of it."""

from dataclasses import dataclass

from oracle import translate


@dataclass(frozen=True)
class Difference:
    """`translate` turns the two answers into equal ones where the difference is one of form; where there
    is none, each exchange says what Larder answers."""

    id: str
    section: str
    subject: str
    larder: str
    reason: str
    translate: object = None


ALWAYS = (
    Difference(
        "pages-tell-more", "1.9, 1.10", "simple pages",
        "API 1.4: size, upload time, versions, metadata hashes; strong ETags", "the standards since PEP 700",
        translate.plain_page,
    ),
)

CLOSED = ()

DIFFERENCES = {difference.id: difference for difference in (*ALWAYS, *CLOSED)}
