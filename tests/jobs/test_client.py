"""What is said of end points that are no cluster, or not the right one. They are played by a small server."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rlplat.errors import JobError
from rlplat.jobs.client import Cluster, normal_address, user_token

Answer = tuple[int, str]
Serve = Callable[[Callable[[str, str | None], Answer]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers as a function of path and token says; returns its address."""
    servers = []

    def start(answer: Callable[[str, str | None], Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, text = answer(self.path, self.headers.get("Authorization"))
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", text)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def metadata(ray: str, python: str) -> Answer:
    return 200, json.dumps({"data": {"rayVersion": ray, "pythonVersion": python}})


def test_an_address_where_nobody_listens_is_said_to_be_no_cluster() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(JobError, match=r"does not answer.*rlplat up.*--cluster"):
            Cluster(f"127.0.0.1:{unused.getsockname()[1]}", None).jobs()


def test_a_web_server_that_is_no_cluster_is_recognised(serve: Serve) -> None:
    with pytest.raises(JobError, match="is no Ray cluster"):
        Cluster(serve(lambda path, token: (200, "<html>hello</html>")), None).jobs()
    with pytest.raises(JobError, match="address of a Ray cluster's dashboard"):
        Cluster(serve(lambda path, token: (404, "")), None).jobs()


@pytest.mark.parametrize(
    ("token", "code", "found"),
    [(None, 401, "no token was given"), ("guess", 403, "the token given is not the cluster's")],
)
def test_a_missing_and_a_wrong_token_are_told_apart(serve: Serve, token: str | None, code: int, found: str) -> None:
    with pytest.raises(JobError, match=f"refuses access \\({code}.*{found}.*RAY_AUTH_TOKEN_PATH"):
        Cluster(serve(lambda path, token: (code, "")), token).jobs()


def test_another_version_of_python_or_ray_is_refused_with_both_numbers(serve: Serve) -> None:
    ray, python = importlib.metadata.version("ray"), platform.python_version()
    Cluster(serve(lambda path, token: metadata(ray, python)), None).check_versions()
    with pytest.raises(JobError, match=rf"runs Python 3\.9\.1, this machine {python}"):
        Cluster(serve(lambda path, token: metadata(ray, "3.9.1")), None).check_versions()
    with pytest.raises(JobError, match=rf"runs Ray 2\.9\.0, this machine has {ray}: pip install"):
        Cluster(serve(lambda path, token: metadata("2.9.0", python)), None).check_versions()


def test_a_token_is_not_carried_on_to_another_address(serve: Serve) -> None:
    seen: list[str | None] = []

    def thief(path: str, token: str | None) -> Answer:
        seen.append(token)
        return 200, "[]"

    elsewhere = serve(thief)
    with pytest.raises(JobError, match="302"):
        Cluster(serve(lambda path, token: (302, elsewhere)), "secret").jobs()
    assert seen == []


@pytest.mark.parametrize("address", ["ray://head:10001", "http://", "head:many", ""])
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(JobError, match="is no address of a cluster; it must look like http://HOST"):
        normal_address(address)


def test_an_address_is_made_whole() -> None:
    assert normal_address("head:8265") == "http://head:8265"
    assert normal_address("https://head:8265/") == "https://head:8265"


def test_the_token_is_sought_where_ray_seeks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    assert user_token() is None
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("at home\n")
    assert user_token() == "at home"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "named"))
    with pytest.raises(JobError, match=r"RAY_AUTH_TOKEN_PATH is .*named, which cannot be read"):
        user_token()
    (tmp_path / "named").write_text("named")
    assert user_token() == "named"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "in the environment")
    assert user_token() == "in the environment"
