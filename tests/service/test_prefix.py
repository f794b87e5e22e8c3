"""A path that a proxy may serve the service under."""

import pytest

from service.prefix import normal_prefix


@pytest.mark.parametrize(("text", "prefix"), [("", ""), ("/", ""), ("/geo/", "/geo"), ("/a/b-c_d.e~f", "/a/b-c_d.e~f")])
def test_a_path_has_one_normal_form(text: str, prefix: str) -> None:
    assert normal_prefix(text) == prefix


@pytest.mark.parametrize(
    "text", ["geo", "//geo", "/a b", "/..", "/./a", "/geo?x", "http://x/geo", "/" + "a" * 101, "/a" * 11]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no path such as /geo"):
        normal_prefix(text)
