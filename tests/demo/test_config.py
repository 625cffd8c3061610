"""Settings from keyword arguments and the environment."""

import pytest

from overcoat.demo.config import Settings, describe_settings, read_settings


def test_defaults():
    settings = read_settings({}, {})
    assert settings == Settings()
    assert settings.trusted_proxies == ()
    assert settings.log_file is None


@pytest.mark.parametrize(
    ("given", "environ", "name", "value"),
    [
        pytest.param({}, {"DATABASE_URL": "sqlite:///a"}, "database_url", "sqlite:///a", id="environment"),
        pytest.param({"database_url": "b"}, {"DATABASE_URL": "a"}, "database_url", "b", id="argument wins"),
        pytest.param({"database_url": None}, {"DATABASE_URL": "a"}, "database_url", "a", id="None is not given"),
        pytest.param({}, {"DATABASE_URL": " "}, "database_url", Settings.database_url, id="blank text is the default"),
        pytest.param({}, {"LOG_FILE": ""}, "log_file", None, id="blank file"),
        pytest.param({}, {"TRUSTED_PROXIES": "10.0.0.0/8, ::1,"}, "trusted_proxies", ("10.0.0.0/8", "::1"), id="list"),
        pytest.param({"trusted_proxies": ["::1"]}, {}, "trusted_proxies", ("::1",), id="list as argument"),
        pytest.param({}, {"CORS_ORIGINS": ""}, "cors_origins", (), id="blank list is empty"),
        pytest.param({}, {"CORS_ORIGINS": "*"}, "cors_origins", ("*",), id="any origin"),
        pytest.param({}, {"CORS_ORIGINS": "http://[::1]:3000"}, "cors_origins", ("http://[::1]:3000",), id="IPv6"),
        pytest.param({}, {"MAX_BODY_BYTES": " 1024 "}, "max_body_bytes", 1024, id="number"),
        pytest.param({"max_body_bytes": 7}, {}, "max_body_bytes", 7, id="number as argument"),
    ],
)
def test_value(given, environ, name, value):
    assert getattr(read_settings(given, environ), name) == value


@pytest.mark.parametrize(
    ("given", "environ", "words"),
    [
        pytest.param({"databse_url": "x"}, {}, ["databse_url='x'", "did you mean 'database_url'"], id="misspelt"),
        pytest.param({}, {"MAX_BODY_BYTES": "64k"}, ["MAX_BODY_BYTES='64k'", "whole number"], id="no number"),
        pytest.param({}, {"MAX_BODY_BYTES": "٤"}, ["MAX_BODY_BYTES", "whole number"], id="digits of another script"),
        pytest.param({}, {"MAX_BODY_BYTES": "9" * 5000}, ["MAX_BODY_BYTES", "whole number"], id="5000 digits"),
        pytest.param({"max_body_bytes": -1}, {}, ["max_body_bytes=-1", "whole number"], id="negative"),
        pytest.param({}, {"MAX_BODY_BYTES": "0"}, ["max_body_bytes=0", "at least 1"], id="nought"),
        pytest.param({}, {"CORS_ORIGINS": "example.com"}, ["'example.com'", "https://example.com"], id="no scheme"),
        pytest.param({}, {"CORS_ORIGINS": "https://a.example/"}, ["'https://a.example/'"], id="slash at the end"),
        pytest.param({}, {"CORS_ORIGINS": "https://*.a.example:x"}, ["no origin"], id="no port"),
        pytest.param({}, {"CORS_ORIGINS": "https://[::1"}, ["no origin"], id="bracket left open"),
        pytest.param({}, {"CORS_ORIGINS": "ftp://a.example"}, ["no origin"], id="another scheme"),
        pytest.param({"cors_origins": ["https://u@a.example"]}, {}, ["no origin"], id="with a user"),
    ],
)
def test_refused(given, environ, words):
    with pytest.raises(ValueError) as caught:
        read_settings(given, environ)
    assert all(word in str(caught.value) for word in words)


def test_every_setting_is_in_the_help():
    lines = list(describe_settings())
    assert [line.split()[0].lower() for line in lines] == list(Settings.__dataclass_fields__)
