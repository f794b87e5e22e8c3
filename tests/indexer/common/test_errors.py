import indexer.common.errors as errors
from model.common.errors import GeoLocalizationError


def test_a_full_disk_is_an_os_error_and_a_running_build_a_runtime_error():
    assert issubclass(errors.DiskFull, OSError)
    assert issubclass(errors.BuildConflict, RuntimeError)
    assert all(issubclass(getattr(errors, name), GeoLocalizationError) for name in errors.__all__)


def test_what_a_caller_gave_wrongly_is_a_value_error():
    for name in ("BadSource", "BadQuery", "IndexDamaged", "IndexVersion", "IndexMismatch", "BadCalibration"):
        assert issubclass(getattr(errors, name), ValueError), name
