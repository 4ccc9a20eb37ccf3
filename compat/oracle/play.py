"""Plays a script to both servers and tells where they disagree without leave."""

import difflib
import json
from dataclasses import replace

from oracle.differences import DIFFERENCES, FORMS
from oracle.exchange import Step
from oracle.normalise import answer

LIMIT_LINES = 60


def play(exchanges, devpi, larder, stage):
    """The disagreements: the title of the exchange and a text to read."""
    problems = []
    for number, exchange in enumerate(exchanges, 1):
        if isinstance(exchange, Step):
            problem = exchange.act(stage)
            if problem:
                problems.append((exchange.title, f"{number}. {exchange.title}\n{problem}"))
            continue
        replies = [(exchange.send(side), side) for side in (devpi, larder)]
        answers = [answer(reply, side, exchange) for reply, side in replies]
        problem = judge(exchange, *answers, replies[1][0])
        if problem:
            text = f"{number}. {exchange.title}\n{problem}\n{_sent(replies[1][0])}"
            problems.append((exchange.title, text))
    return problems


def judge(exchange, theirs, ours, our_reply):
    """What is wrong with this pair of answers, or None."""
    told = [DIFFERENCES[name] for name in exchange.differs]
    if told and theirs == ours:
        return "no longer differs:\n" + "\n".join(ours.lines())
    for difference in FORMS:
        theirs, ours = difference.translate(replace(theirs), replace(ours))
    pinned = [difference.id for difference in told if difference.translate is None]
    if not pinned:
        return None if theirs == ours else _diff(theirs, ours)
    if theirs == ours:
        return f"no longer differs as {', '.join(pinned)} says:\n" + "\n".join(ours.lines())
    return _not_as_pinned(exchange.larder, ours, our_reply) and (
        f"differs by {', '.join(pinned)}, but Larder should have answered {exchange.larder}:\n" + _diff(theirs, ours)
    )


def _not_as_pinned(expected, ours, reply):
    assert expected is not None, "a difference without translation needs larder=…"
    status, words = expected if isinstance(expected, tuple) else (expected, "")
    return ours.status != status or words not in f"{reply.reason}\n{reply.text}\n{ours.lines()}"


def _diff(theirs, ours):
    lines = difflib.unified_diff(theirs.lines(), ours.lines(), "devpi", "Larder", n=4, lineterm="")
    return "\n".join(list(lines)[:LIMIT_LINES])


def _sent(reply):
    request = reply.request
    body = request.body if isinstance(request.body, str) else (request.body or b"").decode(errors="replace")
    return f"sent: {request.method} {request.path_url} {json.dumps(dict(request.headers))}\n      {body[:600]!r}"
