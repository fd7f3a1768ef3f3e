"""``gpsearch serve``: the pages of studies on this machine, which follow their searches.

The server hears only programs of this machine (127.0.0.1). It answers with a page, or with
``?state`` how its search stands. The main thread makes the pages, since matplotlib has one state
for all threads; the threads of the requests give out what was made.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from gpsearch.cli.live import PAUSE, STATES, LivePage, open_page, step_back, studies_page
from gpsearch.cli.standing import best_text, state_line
from gpsearch.cli.terminal import DONE, label, say
from gpsearch.errors import GPSearchError
from gpsearch.report.page import Live

HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")  # names of this machine: a page elsewhere might point its own name here
WATCHED = 10.0  # seconds after its last request for which a page is kept up to date
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'"
)


def serve(arguments: argparse.Namespace) -> int:
    """Serve the pages of studies until Ctrl-C."""
    site = Site([Path(place) for place in arguments.studies])
    try:
        server = _Server((HOST, arguments.port), _Handler)
    except (OSError, OverflowError) as error:
        raise GPSearchError(
            f"--port {arguments.port} of {HOST} cannot be used: {str(error).rstrip('.')}. Name "
            "another one, or --port 0 for any that is free."
        ) from None
    server.site = site
    step_back()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(f"{label('Page')}http://{HOST}:{server.server_port}/ (Ctrl-C ends)")
    sys.stdout.flush()
    try:
        while True:
            site.update()
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return DONE
    finally:
        server.shutdown()
        server.server_close()


class StudiesPage:
    """The list of studies: the first page where there are several. It has what a `LivePage` has."""

    def __init__(self, pages: Mapping[str, LivePage]) -> None:
        self._pages = pages
        self._rows: list[tuple[str, ...]] | None = None
        self.html = self.text = self.state = ""

    def update(self) -> bool:
        """Read how all searches stand; whether that has changed."""
        rows = [self._row(address, page) for address, page in self._pages.items()]
        is_new, self._rows = rows != self._rows, rows
        if is_new:
            self.text = "" if rows else "No study has been found yet."
            self.state = str(next(STATES))
            live = Live("page", self.state, self.text)
            self.html = studies_page("Studies", rows, live)
        return is_new

    @staticmethod
    def _row(address: str, page: LivePage) -> tuple[str, ...]:
        page.look()
        best, standing = "", page.error
        try:
            if not page.error:
                best = best_text(page.study) if page.study.complete else ""
                standing = state_line(page.study)
        except GPSearchError as error:
            best, standing = "", str(error)
        return quote(address), address[1:], best, standing


class Site:
    """The pages by address, made while somebody looks; of several studies, "/" is their list."""

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places
        self._studies: dict[str, LivePage] = {}
        self.pages: dict[str, LivePage | StudiesPage] = {}
        self._asked: dict[str, float] = {}
        self._known: set[Path] = set()
        if len(places) == 1 and not places[0].is_dir():
            self.pages["/"] = open_page(places[0])
        else:
            self.pages["/"] = StudiesPage(self._studies)
            for path in places:
                if not path.is_dir() and path not in self._known:
                    self._add(path, open_page(path))
        self._look()

    def ask(self, address: str) -> LivePage | StudiesPage | None:
        """The page at an address, made soon where it is not; None where there is none."""
        if address in self.pages:
            self._asked[address] = time.monotonic()
        return self.pages.get(address)

    def update(self) -> None:
        """Find the studies that are new in a folder, and make the pages that were asked for."""
        self._look()
        now = time.monotonic()
        for address, asked in list(self._asked.items()):
            page = self.pages[address]
            if now - asked < WATCHED or not page.html:  # others may have taken longer than that
                page.update()

    def _look(self) -> None:
        for folder in filter(Path.is_dir, self._places):
            for path in sorted(folder.glob("*.db")):
                if path not in self._known:
                    self._add(path, LivePage(path))

    def _add(self, path: Path, page: LivePage) -> None:
        name = path.name
        while f"/{name}" in self.pages:  # of another folder
            name += "+"
        self._studies[f"/{name}"] = self.pages[f"/{name}"] = page
        self._known.add(path)


class _Server(ThreadingHTTPServer):
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that went away is no fault."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer with a page, or with how its search stands."""
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
            asked = urlsplit(self.path)
        except ValueError:  # half an address of IPv6
            return self.send_error(HTTPStatus.BAD_REQUEST)
        if host not in HOSTS:
            return self.send_error(HTTPStatus.FORBIDDEN)
        page = self.server.site.ask(unquote(asked.path))
        if page is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        while not page.html:
            time.sleep(0.05)
        if asked.query == "state":
            text, kind = json.dumps({"page": page.state, "text": page.text}), "application/json"
        else:
            text, kind = page.html, "text/html; charset=utf-8"
        body = text.encode(errors="backslashreplace")
        self.send_response(HTTPStatus.OK)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal quiet."""
