"""Loaded by schemathesis in its own process: what a run must not do, or it would ask the rest in vain."""

import os

import schemathesis

CALLER = os.environ["LARDER_OPENAPI_CALLER"]


@schemathesis.hook
def filter_case(context, case):
    """The caller and the password stay, and so does what is on `owner/stage`; `owner/target` may go."""
    parts, method = case.path_parameters or {}, case.method.upper()
    if case.operation.path == "/{user}":
        return parts.get("user") not in (CALLER, "owner") or method not in ("PATCH", "DELETE")
    return method != "DELETE" or (parts.get("user"), parts.get("index")) != ("owner", "stage")
