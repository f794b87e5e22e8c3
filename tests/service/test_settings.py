"""Settings come from the environment, flags override them, and mistakes are named."""

import argparse

import pytest

from model.common.errors import BadConfig
from model.common.flags import add_flags
from service.settings import ENVIRONMENT, Settings, UpSettings, read_settings


def flags(*arguments: str, kind=Settings) -> dict:
    parser = argparse.ArgumentParser()
    add_flags(parser, kind, environment=ENVIRONMENT)
    return vars(parser.parse_args(arguments))


def test_flag_overrides_environment_overrides_default(monkeypatch):
    monkeypatch.setenv("CLNET_PORT", "9000")
    monkeypatch.setenv("CLNET_INDEX", "somewhere")
    assert read_settings(Settings, flags()).port == 9000
    assert read_settings(Settings, flags("--port", "9001")).port == 9001
    assert read_settings(Settings, flags()).host == "127.0.0.1"


def test_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("CLNET_PORT", "")
    assert read_settings(Settings, flags("--index", "i")).port == 8000


def test_missing_index_says_how_to_give_it():
    with pytest.raises(BadConfig, match=r"--index is missing; give it, or set CLNET_INDEX"):
        read_settings(Settings, flags())


@pytest.mark.parametrize(
    ("flag", "value"), [("--port", "99999"), ("--port", "x"), ("--deadline-s", "0"), ("--log-level", "loud")]
)
def test_wrong_value_is_named_with_its_flag(flag, value):
    with pytest.raises(BadConfig, match=f"{flag} .*{value}"):
        read_settings(Settings, flags("--index", "i", flag, value))


def test_misspelt_variable_is_an_error(monkeypatch):
    monkeypatch.setenv("CLNET_PROT", "9000")
    with pytest.raises(BadConfig, match="CLNET_PROT is no setting"):
        read_settings(Settings, flags("--index", "i"))


def test_variables_of_up_are_no_mistake_for_serve(monkeypatch):
    monkeypatch.setenv("CLNET_TILES", "tiles")
    assert read_settings(Settings, flags("--index", "i")).port == 8000


def test_up_hands_its_settings_on(tmp_path):
    settings = read_settings(UpSettings, flags("--port", "9001", "--max-upload-mb", "5", kind=UpSettings))
    served = settings.serving(tmp_path)
    assert (served.port, served.max_upload_mb, served.index) == (9001, 5, tmp_path)
