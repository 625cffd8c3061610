"""Settings from keyword arguments and the environment."""

import os

import pytest

from overcoat.demo.config import Settings, describe_settings, environment, read_settings


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
        pytest.param(
            {}, {"TRUSTED_HOSTS": "a.example,*.b.example"}, "trusted_hosts", ("a.example", "*.b.example"), id="hosts"
        ),
        pytest.param({}, {"HTTPS_REDIRECT": "True"}, "https_redirect", True, id="true"),
        pytest.param({}, {"HTTPS_REDIRECT": "0"}, "https_redirect", False, id="false"),
        pytest.param({}, {"HTTPS_REDIRECT": ""}, "https_redirect", True, id="blank choice"),
        pytest.param({"https_redirect": False}, {}, "https_redirect", False, id="choice as argument"),
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
        pytest.param({}, {"HTTPS_REDIRECT": "maybe"}, ["HTTPS_REDIRECT='maybe'", "true or false"], id="no choice"),
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


class TestFile:
    """``.env`` in the working directory."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    def test_order(self, tmp_path, monkeypatch):
        (tmp_path / ".env").write_text(
            "# shop\nexport LOG_FILE='a b.log'  # why\nCORS_ORIGINS=\nMAX_BODY_BYTES=7\nDATABASE_URL=sqlite:///env\n"
        )
        monkeypatch.setenv("MAX_BODY_BYTES", "8")
        settings = read_settings({"database_url": "sqlite:///argument"})
        assert (settings.log_file, settings.cors_origins) == ("a b.log", ())
        assert (settings.max_body_bytes, settings.database_url) == (8, "sqlite:///argument")

    def test_it_does_not_change_the_environment(self, tmp_path):
        (tmp_path / ".env").write_text("MAX_BODY_BYTES=7\nNOTHING\n")
        before = dict(os.environ)
        assert environment()["MAX_BODY_BYTES"] == "7"
        assert "NOTHING" not in environment()
        assert dict(os.environ) == before

    def test_none(self):
        assert read_settings({}) == Settings()

    def test_unreadable(self, tmp_path):
        (tmp_path / ".env").write_bytes(b"LOG_FILE=\xff\n")
        with pytest.raises(ValueError, match=r"\.env cannot be read: "):
            read_settings({})


def test_every_setting_is_in_the_help():
    lines = list(describe_settings())
    assert [line.split()[0].lower() for line in lines] == list(Settings.__dataclass_fields__)
