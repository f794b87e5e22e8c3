from model.synthetic.country import ABROAD, OPEN, country_of


def test_a_world_has_one_country_and_worlds_differ():
    assert country_of(3) == country_of(3)
    assert country_of(3) != country_of(4)


def test_the_second_family_lies_beyond_the_first():
    home = [country_of(seed) for seed in range(1, 60)]
    far = [country_of(seed) for seed in range(ABROAD, ABROAD + 60)]
    for name in ("streets", "lots", "floors", "trees"):
        spread = max(abs(getattr(country, name) - 1.0) for country in home)
        assert min(abs(getattr(country, name) - 1.0) for country in far) > spread


def test_shares_of_district_styles_rise_to_one():
    for seed in (1, 7, ABROAD, ABROAD + 9):
        styles = country_of(seed).styles
        assert list(styles) == sorted(styles)
        assert styles[-1] == 1.0


def test_only_open_country_lets_colours_and_roads_stray():
    assert all(country_of(seed).freedom == 0.0 for seed in (1, 16, ABROAD, OPEN - 1))
    far = [country_of(seed) for seed in range(OPEN, OPEN + 30)]
    assert {country.freedom for country in far} == {1.0}
    assert max(country.bend_m for country in far) > 80.0 > 40.0 > min(country.bend_m for country in far)
    assert all(country.styles[4] - country.styles[3] > 0.4 for country in far)
