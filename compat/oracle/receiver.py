"""The other server of a push to the outside: notes what it was sent and answers as it is told."""

import email.parser
import email.policy
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from oracle.exchange import Step


class Receiver:
    def __init__(self):
        self.received, self.status, self.text = [], 200, ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append(_form(self.headers, body))
                reply = receiver.text.encode()
                self.send_response(receiver.status)
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/legacy/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answers(self, status, text):
        self.status, self.text = status, text

    def forget(self):
        self.received = []

    def compare(self):
        """A step: what the last push of each side sent is the same."""
        return Step("both sent the same", self._compare)

    def _compare(self, stage):
        half = len(self.received) // 2
        theirs, ours = [as_larder_sends(form) for form in self.received[:half]], self.received[half:]
        self.received = []
        return None if theirs == ours else "devpi sent\n{}\nLarder sent\n{}".format(theirs, ours)


def as_larder_sends(form):
    """A form of devpi-server's: saying its protocol; documentation without metadata."""
    fields = form["fields"]
    if (":action", "doc_upload") in fields:
        fields = [field for field in fields if field[0] in (":action", "name", "version", "content")]
    else:
        fields = [*fields, ("protocol_version", "1")]
    return {**form, "fields": sorted(fields, key=str)}


def _form(headers, body):
    """Credentials and the fields of a form, files as their names and lengths."""
    if headers["content-type"].startswith("application/x-www-form-urlencoded"):
        fields = parse_qsl(body.decode(), keep_blank_values=True)
        return {"authorization": headers["authorization"], "fields": sorted(fields, key=str)}
    head = f"content-type: {headers['content-type']}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    fields = []
    for part in parser.parsebytes(head + body).iter_parts():
        name, filename = (part.get_param(key, header="content-disposition") for key in ("name", "filename"))
        content = part.get_payload(decode=True)
        fields.append((name, filename, len(content)) if filename else (name, content.decode()))
    return {"authorization": headers["authorization"], "fields": sorted(fields, key=str)}
