"""What REDIS_URL may say, and what redis-py and Celery are told."""

import pytest

from tasks.app import make_app
from tasks.config.redis_url import Sentinels, sentinels
from tasks.config.settings import load
from tasks.errors import Misconfigured


@pytest.mark.parametrize(
    ("url", "told", "broker"),
    [
        (
            "sentinel://one:26380,two/mymaster",
            Sentinels((("one", 26380), ("two", 26379)), "mymaster", 0, None, None, None),
            "sentinel://one:26380/0;sentinel://two:26379/0",
        ),
        (
            "sentinel://:p%40ss@[::1]:26379/m/3?sentinel_password=s",
            Sentinels((("::1", 26379),), "m", 3, None, "p@ss", "s"),
            "sentinel://:p%40ss@[::1]:26379/3",
        ),
        (
            "sentinel://me:secret@one/m/0",
            Sentinels((("one", 26379),), "m", 0, "me", "secret", None),
            "sentinel://me:secret@one:26379/0",
        ),
        (
            "rediss+sentinel://:p@one,two/m/0?ssl_ca_certs=/ca.pem&ssl_check_hostname=false&sentinel_password=s",
            Sentinels(
                (("one", 26379), ("two", 26379)),
                "m",
                0,
                None,
                "p",
                "s",
                {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca.pem", "ssl_check_hostname": False},
            ),
            "sentinel://:p@one:26379/0;sentinel://:p@two:26379/0",
        ),
        ("redis://one:6379/0", None, "redis://one:6379/0"),
    ],
)
def test_a_sentinel_url_is_told_to_both_libraries(url: str, told: Sentinels | None, broker: str) -> None:
    assert sentinels(url) == told
    app = make_app(load({"REDIS_URL": url}))
    assert app.conf.broker_read_url == app.conf.broker_write_url == broker
    options = app.conf.broker_transport_options
    assert options.get("master_name") == (told.master if told else None)
    assert app.conf.broker_use_ssl == (told.tls if told and told.tls else False)
    assert options.get("sentinel_kwargs", {}).get("ssl", False) == bool(told and told.tls)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("redis://h/abc", "'/abc' is not a database number; put the database number in the path: redis://host:6379/3"),
        ("redis://h/0/1", "'/0/1' is not a database number"),
        ("redis://h/\u0663", "is not a database number"),
        ("redis://h/0?ssl_typo=1&db=2", "only ssl_* query parameters are supported"),
        ("sentinel://h", "names no master"),
        ("sentinel://h/m/x", "names no master"),
        ("sentinel://h/m/0/1", "names no master"),
        ("sentinel:///m", "names no Sentinel"),
        ("sentinel://h,,g/m", "names no Sentinel"),
        ("sentinel://h:port/m", "has no host and port in 'h:port'"),
        ("sentinel://h/m?db=3", "says more than sentinel_password and ssl_*"),
        ("sentinel://h/m?ssl_ca_certs=x", "ssl_* parameters need rediss+sentinel://"),
        ("rediss+sentinel://h/m?ssl_ca_cert=x", "did you mean ssl_ca_certs?"),
        ("rediss+sentinel://h/m?ssl_cert_reqs=maybe", "has a wrong ssl_cert_reqs"),
        ("sentinels://h/m", "is not a Redis URL"),
    ],
)
def test_what_is_no_redis_url_is_one_clear_line(url: str, line: str) -> None:
    with pytest.raises(Misconfigured) as problem:
        load({"REDIS_URL": url})
    assert str(problem.value).startswith("REDIS_URL: ")
    assert line in str(problem.value)
    assert "\n" not in str(problem.value)
