"""The settings: what the environment may say, and what is said where it says something else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import Access, RateLimit, Secret, Settings, SettingsError, redacted


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    assert Settings.from_env({}) == Settings(
        database_url=None,
        read_url=None,
        migrate_url=None,
        host="127.0.0.1",
        port=8000,
        workers=1,
        home=Path.cwd() / ".chokepoint",
        log_level="info",
        secret=None,
        reads="open",
        rate_limit=RateLimit(1000, 10),
    )


def test_every_setting_is_read_from_its_variable() -> None:
    env = {
        "CHOKEPOINT_DATABASE_URL": "postgres://me@db.example:5433/risk?sslmode=require",
        "CHOKEPOINT_READ_URL": "postgres://reader@standby.example/risk",
        "CHOKEPOINT_MIGRATE_URL": "postgres://owner@db.example:5433/risk",
        "CHOKEPOINT_HOST": "::1",
        "CHOKEPOINT_PORT": "8080",
        "CHOKEPOINT_WORKERS": "4",
        "CHOKEPOINT_HOME": "/srv/chokepoint",
        "CHOKEPOINT_LOG_LEVEL": "Warning",
        "CHOKEPOINT_SECRET": "thirty-two characters or some more",
        "CHOKEPOINT_READS": "Keyed",
        "CHOKEPOINT_RATE_LIMIT": "50/60",
    }
    assert Settings.from_env(env) == Settings(
        database_url="postgres://me@db.example:5433/risk?sslmode=require",
        read_url="postgres://reader@standby.example/risk",
        migrate_url="postgres://owner@db.example:5433/risk",
        host="::1",
        port=8080,
        workers=4,
        home=Path("/srv/chokepoint"),
        log_level="warning",
        secret=Secret(b"thirty-two characters or some more"),
        reads="keyed",
        rate_limit=RateLimit(50, 60),
    )


def test_reading_and_migrating_are_the_same_login_as_writing_unless_told_otherwise() -> None:
    one = "postgres://me@db.example/risk"
    assert Settings(database_url=one).access == Access(read=one, write=one, own=one)
    assert Settings(database_url=one, read_url="r", migrate_url="m").access == Access(read="r", write=one, own="m")
    assert Settings().access is None


@pytest.mark.parametrize("variable", ["CHOKEPOINT_READ_URL", "CHOKEPOINT_MIGRATE_URL"])
def test_another_login_for_no_named_database_is_refused(variable: str) -> None:
    """It would be taken to have an effect on the embedded one, and has none."""
    with pytest.raises(SettingsError, match=f"^{variable} is set, but CHOKEPOINT_DATABASE_URL is not$"):
        Settings.from_env({variable: "postgres://me:secret@db.example/risk"})


def test_an_empty_or_blank_value_means_the_default() -> None:
    assert Settings.from_env({"CHOKEPOINT_PORT": "", "CHOKEPOINT_DATABASE_URL": "  "}) == Settings.from_env({})


def test_the_home_folder_is_absolute_and_knows_the_tilde() -> None:
    assert Settings.from_env({"CHOKEPOINT_HOME": "~/risk"}).home == Path.home() / "risk"
    assert Settings.from_env({"CHOKEPOINT_HOME": "here"}).home == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CHOKEPOINT_DATABASE_URL", "risk"),
        ("CHOKEPOINT_DATABASE_URL", "mysql://me@localhost/risk"),
        ("CHOKEPOINT_DATABASE_URL", "postgresql://"),
        ("CHOKEPOINT_DATABASE_URL", "postgresql://localhost:fivefourthreetwo/risk"),
        ("CHOKEPOINT_READ_URL", "risk"),
        ("CHOKEPOINT_MIGRATE_URL", "mysql://me@localhost/risk"),
        ("CHOKEPOINT_HOST", "http://localhost"),
        ("CHOKEPOINT_PORT", "http"),
        ("CHOKEPOINT_PORT", "0"),
        ("CHOKEPOINT_PORT", "65536"),
        ("CHOKEPOINT_PORT", "80.5"),
        ("CHOKEPOINT_PORT", "٨٠"),
        ("CHOKEPOINT_WORKERS", "-1"),
        ("CHOKEPOINT_WORKERS", "many"),
        ("CHOKEPOINT_HOME", __file__),
        ("CHOKEPOINT_LOG_LEVEL", "chatty"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_the_variable_and_what_was_expected(
    variable: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable} is .+; expected .+$") as refused:
        Settings.from_env({"CHOKEPOINT_DATABASE_URL": "postgresql://me@localhost/risk", variable: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host:5432/risk", "postgresql://me:***@host:5432/risk"),
        ("postgresql://me:sec@ret@host/risk", "postgresql://me:***@host/risk"),
        ("postgresql://me:secret/risk", "postgresql://me:***"),
        (
            "postgresql://host/risk?password=secret&sslmode=require",
            "postgresql://host/risk?password=***&sslmode=require",
        ),
        ("host=here password=secret", "host=here password=***"),
        ("me:secret@host", "me:***@host"),
    ],
)
def test_a_password_is_masked_wherever_it_stands(url: str, shown: str) -> None:
    assert redacted(url) == shown


@pytest.mark.parametrize(
    "url", ["postgresql://me@host:5432/risk", "postgresql://[::1]:5432/risk", "postgresql:///risk?host=/run/postgresql"]
)
def test_a_url_without_a_password_is_shown_as_it_is(url: str) -> None:
    assert redacted(url) == url


@given(password=st.text(min_size=4).filter(lambda text: text.strip("*") == text), escaped=st.booleans())
def test_no_part_of_any_password_is_shown(password: str, escaped: bool) -> None:
    written = quote(password, safe="") if escaped else password
    assert redacted(f"postgresql://me:{written}@host/risk") == "postgresql://me:***@host/risk"
