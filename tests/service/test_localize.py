"""POST /localize: answers in the contract's form, for honest photos."""

import datetime
import shutil
from dataclasses import replace

import pytest

from indexer.building.specs import BuildSpec
from indexer.lifecycle.add import add_tiles, plan_addition
from indexer.lifecycle.change import changing
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.model.photo_files import gpano
from tests.model.photo_files import photo as photo_file
from tests.service.conftest import NORTH_Y, WEST_X, ZOOM, seed_of, serving
from tests.service.pictures import encoded, exif_rotated, mosaic, panorama_of, turned


def post(client, photo: bytes, *, headers=None, **fields):
    """Ask with a whole panorama that looks north, unless the fields say otherwise."""
    return ask(client, photo, headers=headers, **{"heading_deg": "0", "fov_deg": "360", **fields})


def ask(client, photo: bytes, *, headers=None, **fields):
    """Ask with nothing but what is given."""
    return client.post("/localize", files={"panorama": ("photo", photo)}, data=fields, headers=headers)


def test_answer_has_exactly_the_members_of_the_contract(client):
    answer = post(client, encoded(panorama_of(6))).json()
    assert set(answer) == {"matches", "estimate", "view", "warnings", "model", "index", "timings_ms"}
    assert set(answer["matches"][0]) == {
        "rank", "tile_id", "lat", "lon", "bounds", "score", "heading_deg", "image_url"
    }  # fmt: skip
    assert answer["warnings"] == []
    assert set(answer["view"]) == {"heading_deg", "heading_source", "fov_deg", "fov_source"}
    confidence = {"confidence", "confidence_radius_m", "no_confidence_because"}
    assert set(answer["estimate"]) == {"lat", "lon", "radius_m", *confidence}
    assert set(answer["model"]) == {"name", "digest"}
    assert set(answer["index"]) == {"name", "tiles", "digest"}
    assert set(answer["timings_ms"]) == {"decode", "embed", "search", "total"}


def test_photo_finds_the_tile_it_shows(client):
    best = post(client, encoded(panorama_of(seed_of(WEST_X + 2, NORTH_Y + 1)))).json()["matches"][0]
    assert best["tile_id"] == f"{ZOOM}/{WEST_X + 2}/{NORTH_Y + 1}"
    assert best["rank"] == 1
    assert best["score"] == pytest.approx(1.0, abs=0.01)


def test_matches_are_ranked_best_first_and_as_many_as_asked_for(client):
    matches = post(client, encoded(panorama_of(3)), top_k="7").json()["matches"]
    assert [match["rank"] for match in matches] == list(range(1, 8))
    assert [match["score"] for match in matches] == sorted((match["score"] for match in matches), reverse=True)


def test_top_k_beyond_the_corpus_gives_the_whole_corpus(client):
    assert len(post(client, encoded(panorama_of(3)), top_k="100").json()["matches"]) == 16


def test_estimate_is_the_best_tile_and_does_not_depend_on_top_k(client):
    one, ten = (post(client, encoded(panorama_of(3)), top_k=count).json() for count in ("1", "10"))
    best = one["matches"][0]["lat"], one["matches"][0]["lon"]
    assert (one["estimate"]["lat"], one["estimate"]["lon"]) == pytest.approx(best, abs=1e-7)
    assert one["estimate"] == ten["estimate"]
    assert one["estimate"]["confidence"] is None


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})])
def test_each_allowed_format_is_read(client, form, options):
    photo = encoded(panorama_of(9), form, **options)
    assert post(client, photo).json()["matches"][0]["tile_id"].endswith(f"{WEST_X + 1}/{NORTH_Y + 2}")


def test_heading_turns_the_panorama_to_north(client):
    photo = encoded(turned(panorama_of(6), 120))
    match = post(client, photo, heading_deg="120").json()["matches"][0]
    assert match["tile_id"].endswith(f"{WEST_X + 2}/{NORTH_Y + 1}")
    assert match["heading_deg"] == 120.0


def test_unknown_heading_is_found(client):
    photo = encoded(turned(panorama_of(6), 120))
    match = post(client, photo, heading_deg="unknown").json()["matches"][0]
    assert match["tile_id"].endswith(f"{WEST_X + 2}/{NORTH_Y + 1}")
    assert abs(match["heading_deg"] - 120.0) <= 15.0
    assert match["heading_deg"] % (360 / 64) == 0  # what was rolled: whole columns of this encoder's canvas


def test_unknown_heading_of_a_narrow_view_is_found(client):
    seen = panorama_of(6).crop((0, 0, 144, 64))  # its westernmost quarter of the circle, centred at 225 degrees
    match = post(client, encoded(seen), heading_deg="unknown", fov_deg="90", top_k="1").json()["matches"][0]
    given = post(client, encoded(seen), heading_deg="225", fov_deg="90", top_k="1").json()["matches"][0]
    assert match["score"] >= given["score"] - 0.01


@pytest.mark.parametrize("accept", ["application/json", "application/geo+json"])
def test_shape_that_contradicts_the_field_of_view_is_said(client, accept):
    photo = encoded(panorama_of(6).resize((400, 300)))
    answer = post(client, photo, headers={"accept": accept}).json()
    assert "give its horizontal field of view" in answer["warnings"][0]
    assert post(client, photo, headers={"accept": accept}, fov_deg="70").json()["warnings"] == []


def test_shape_is_that_of_the_photo_upright(client):
    lying = exif_rotated(panorama_of(6).resize((300, 150)).rotate(90, expand=True), 6)
    assert post(client, lying).json()["warnings"] == []


SPHERE = {
    "ProjectionType": "equirectangular",
    "FullPanoWidthPixels": 576,
    "FullPanoHeightPixels": 288,
    "CroppedAreaImageHeightPixels": 64,
    "CroppedAreaTopPixels": 112,
}
"""GPano properties of what `panorama_of` makes: the whole circle, 40 degrees high around the horizon."""


def asked(answer: dict) -> dict:
    """What an answer found, without the time that it took."""
    return {name: answer[name] for name in ("matches", "estimate", "warnings")}


def test_a_panorama_that_says_where_it_looks_is_answered_like_one_whose_heading_is_given(client):
    seen = turned(panorama_of(6), 90)
    says = gpano(**SPHERE, CroppedAreaImageWidthPixels=576, CroppedAreaLeftPixels=0, PoseHeadingDegrees=90)
    answer = ask(client, photo_file("PNG", xmp=says, picture=seen)).json()
    assert answer["view"] == {
        "heading_deg": 90.0, "heading_source": "photo", "fov_deg": 360.0, "fov_source": "photo"
    }  # fmt: skip
    assert answer["matches"][0]["tile_id"].endswith(f"{WEST_X + 2}/{NORTH_Y + 1}")
    assert answer["warnings"] == []
    given = ask(client, encoded(seen), heading_deg="90", fov_deg="360").json()
    assert asked(answer) == asked(given)
    assert given["view"]["heading_source"] == given["view"]["fov_source"] == "given"


def test_half_a_panorama_that_says_so_is_answered_like_one_whose_angles_are_given(client):
    """Cut from the left edge of a panorama that looks east, it looks 90 degrees to the left of that: north."""
    half = turned(panorama_of(6), 90).crop((0, 0, 288, 64))
    says = gpano(**SPHERE, CroppedAreaImageWidthPixels=288, CroppedAreaLeftPixels=0, PoseHeadingDegrees=90)
    answer = ask(client, photo_file("PNG", xmp=says, picture=half)).json()
    assert answer["view"] == {"heading_deg": 0.0, "heading_source": "photo", "fov_deg": 180.0, "fov_source": "photo"}
    given = ask(client, encoded(half), heading_deg="0", fov_deg="180").json()
    assert asked(answer) == asked(given)


def test_what_is_given_wins_over_what_the_photo_says_and_the_answer_says_that_they_differ(client):
    says = gpano(**SPHERE, CroppedAreaImageWidthPixels=576, CroppedAreaLeftPixels=0, PoseHeadingDegrees=90)
    answer = ask(client, photo_file("PNG", xmp=says, picture=panorama_of(6)), heading_deg="0").json()
    assert answer["matches"][0]["tile_id"].endswith(f"{WEST_X + 2}/{NORTH_Y + 1}")
    assert (answer["view"]["heading_deg"], answer["view"]["heading_source"]) == (0.0, "given")
    assert "heading_deg 0 is given, and the photo says 90" in answer["warnings"][0]


@pytest.mark.parametrize("accept", ["application/json", "application/geo+json"])
def test_of_a_photo_that_says_nothing_all_headings_are_tried(client, accept):
    seen = encoded(panorama_of(6).resize((512, 256)))
    answer = ask(client, seen, headers={"accept": accept}).json()
    assert answer["view"] == {
        "heading_deg": None, "heading_source": "unknown", "fov_deg": 360.0, "fov_source": "assumed"
    }  # fmt: skip
    assert answer["warnings"] == []
    told = ask(client, seen, headers={"accept": accept}, heading_deg="unknown").json()
    assert told["view"]["heading_source"] == "unknown"
    assert told["estimate"] == answer["estimate"]


def test_a_field_of_view_that_had_to_be_guessed_is_warned_of(client):
    answer = ask(client, encoded(panorama_of(6).resize((400, 300)))).json()
    assert (answer["view"]["fov_source"], answer["view"]["heading_source"]) == ("assumed", "unknown")
    assert "does not say how wide it sees" in answer["warnings"][0]


def test_negative_heading_is_reported_within_0_and_360(client):
    assert post(client, encoded(panorama_of(6)), heading_deg="-90").json()["matches"][0]["heading_deg"] == 270.0


def test_bbox_leaves_only_tiles_that_touch_it(client):
    everything = post(client, encoded(panorama_of(0)), top_k="100").json()["matches"]
    west, south, east, north = next(m for m in everything if m["tile_id"].endswith(f"{WEST_X}/{NORTH_Y}"))["bounds"]
    inner = f"{west + 1e-5},{south + 1e-5},{east - 1e-5},{north - 1e-5}"
    matches = post(client, encoded(panorama_of(6)), top_k="100", bbox=inner).json()["matches"]
    assert [match["tile_id"] for match in matches] == [f"{ZOOM}/{WEST_X}/{NORTH_Y}"]


def test_near_and_radius_leave_only_tiles_that_touch_the_circle(client):
    corner = post(client, encoded(panorama_of(15))).json()["matches"][0]
    near = f"{corner['lat']},{corner['lon']}"
    matches = post(client, encoded(panorama_of(6)), top_k="100", near=near, radius_m="5").json()["matches"]
    assert [match["tile_id"] for match in matches] == [corner["tile_id"]]


def test_photo_of_few_degrees_is_accepted(client):
    assert post(client, encoded(panorama_of(6, fov_deg=90)), fov_deg="90").status_code == 200


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_is_applied(client, orientation):
    turns = {3: 180, 6: 90, 8: 270}
    stored = panorama_of(6).rotate(turns[orientation], expand=True)
    match = post(client, exif_rotated(stored, orientation)).json()["matches"][0]
    assert match["tile_id"].endswith(f"{WEST_X + 2}/{NORTH_Y + 1}")


@pytest.mark.parametrize(
    "photo",
    [
        encoded(panorama_of(6).convert("CMYK"), "JPEG", quality=95),
        encoded(panorama_of(6).quantize(64)),
        encoded(panorama_of(6).convert("L")),
        encoded(panorama_of(6).convert("L").convert("I").point(lambda value: value * 257).convert("I;16")),
        encoded(panorama_of(6).convert("RGBA")),
        encoded(panorama_of(6), "WEBP", lossless=True, save_all=True, append_images=[panorama_of(1)]),
    ],
    ids=["cmyk", "palette", "grey", "16-bit", "alpha", "animated"],
)
def test_odd_but_valid_pictures_are_answered(client, photo):
    response = post(client, photo)
    assert response.status_code == 200, response.text


def test_geojson_is_an_rfc_7946_feature_collection(client):
    response = post(client, encoded(panorama_of(6)), headers={"accept": "application/geo+json"})
    collection = response.json()
    assert response.headers["content-type"] == "application/geo+json"
    assert collection["type"] == "FeatureCollection"
    best, estimate = collection["features"][0], collection["features"][-1]
    ring = best["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert ring[0] == [best["bbox"][0], best["bbox"][1]]
    assert best["properties"]["rank"] == 1
    assert estimate["geometry"]["coordinates"] == [collection["estimate"]["lon"], collection["estimate"]["lat"]]


def test_image_url_leads_to_the_tile(client):
    url = post(client, encoded(panorama_of(6))).json()["matches"][0]["image_url"]
    assert client.get(url).headers["content-type"] == "image/png"


@pytest.fixture
def two_years(settings, tmp_path):
    """A client of an index with undated tiles, and the same place photographed again on 2026-06-01."""
    folder = shutil.copytree(settings.index, tmp_path / "served")
    again = tmp_path / "again"
    path = again / str(ZOOM) / str(WEST_X + 2) / f"{NORTH_Y + 1}.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(encoded(mosaic(seed_of(WEST_X + 2, NORTH_Y + 1))))
    with changing(folder) as change:
        day = datetime.date(2026, 6, 1)
        addition = plan_addition(change.index, open_source(again), FakeEncoder(), BuildSpec(), date=day)
        add_tiles(change, addition, open_source(again), FakeEncoder())
    with serving(replace(settings, index=folder)) as client:
        yield client


def test_since_leaves_out_older_imagery_and_the_answer_names_the_date(two_years):
    photo = encoded(panorama_of(seed_of(WEST_X + 2, NORTH_Y + 1)))
    every = post(two_years, photo, top_k="20").json()["matches"]
    assert len(every) == 17
    assert [match.get("date") for match in every[:2]] == [None, "2026-06-01"]
    recent = post(two_years, photo, since="2026-06-01", top_k="20").json()
    assert [match["date"] for match in recent["matches"]] == ["2026-06-01"]
    assert "recent imagery" in recent["estimate"]["no_confidence_because"]
    answer = post(two_years, photo, since="2026-06-01", top_k="20", headers={"accept": "application/geo+json"}).json()
    assert answer["features"][0]["properties"]["date"] == "2026-06-01"


def test_since_goes_with_an_area_and_with_an_unknown_heading(two_years):
    photo = encoded(panorama_of(seed_of(WEST_X + 2, NORTH_Y + 1)))
    match = post(two_years, photo).json()["matches"][0]
    box = ",".join(map(str, match["bounds"]))
    found = ask(two_years, photo, since="2026-01-01", bbox=box, heading_deg="unknown", fov_deg="360")
    assert [one["tile_id"] for one in found.json()["matches"]] == [match["tile_id"]]
    nowhere = post(two_years, photo, since="2026-01-01", bbox="-10,-10,-9,-9")
    assert nowhere.status_code == 422
    assert "no imagery since 2026-01-01 there" in nowhere.json()["detail"]


def test_a_day_that_is_none_or_later_than_all_imagery_is_refused(two_years):
    photo = encoded(panorama_of(3))
    late = post(two_years, photo, since="2026-06-02")
    assert late.status_code == 422
    assert "no imagery since 2026-06-02; it has imagery of 2026-06-01, no date" in late.json()["detail"]
    for wrong in ("yesterday", "2026-13-01", "01.06.2026"):
        assert post(two_years, photo, since=wrong).status_code == 422
