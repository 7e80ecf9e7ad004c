"""The metrics' server: its readers are programs on this machine, and no page of another site."""

import httpx
import pytest

from tasks.telemetry import metrics_server
from tests.playground.test_guard import foreign_requests
from tests.support.ports import free_port


@pytest.mark.promise("playground-shut")
def test_metrics_are_read_by_programs_and_by_no_page_of_another_site() -> None:
    port = metrics_server.serve(free_port(), "127.0.0.1")
    assert port is not None
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=60) as http:
        for path in ("/metrics", "/", "/else"):
            answered = [
                kind
                for kind, headers in foreign_requests(port).items()
                if http.get(path, headers=headers).status_code != 403
            ]
            assert answered == []
        assert "cohort_turns_total" in http.get("/metrics").text
        assert "cohort_turns_total" in http.get("/metrics", headers={"host": f"localhost:{port}"}).text
