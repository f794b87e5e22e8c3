"""Damaged inputs end in a result or in one line: never in a traceback, a hang, or memory without bound."""

import hashlib
import resource

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.mutations import KINDS, OPERATIONS, Mutation, damaged, draw_mutations, outcome

DAMAGE = st.lists(
    st.builds(
        Mutation,
        st.sampled_from(OPERATIONS),
        st.floats(0.0, 1.0, exclude_max=True),
        st.integers(0, (1 << 32) - 1),
    ),
    min_size=1,
    max_size=5,
)
PHASES = (Phase.explicit, Phase.generate, Phase.shrink)
RULES = {"deadline": 10_000, "phases": PHASES, "database": None, "suppress_health_check": list(HealthCheck)}
MOST_BYTES = 1 << 30


def check(kind: str, file: int, damage: list[Mutation]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert outcome(kind, damaged(kind, file, damage)).startswith(("read", "refused"))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_BYTES


@pytest.mark.parametrize("kind", KINDS)
def test_the_undamaged_inputs_are_read(kind: str) -> None:
    if kind not in ("pmtiles-directory",):  # its second core points at leaves that are not there
        for file in range(len(KINDS[kind].seeds())):
            assert outcome(kind, damaged(kind, file, [])) == "read"


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_inputs_end_in_a_result_or_in_one_line(kind: str) -> None:
    @seed(14)
    @settings(max_examples=40, **RULES)  # type: ignore[arg-type]
    @given(file=st.integers(0, 1), damage=DAMAGE)
    def few(file: int, damage: list[Mutation]) -> None:
        check(kind, file, damage)

    few()


@pytest.mark.parametrize(("kind", "number"), [("mbtiles", 700_660)], ids=["a length beyond all memory"])
def test_what_once_ended_otherwise_is_refused(kind: str, number: int) -> None:
    assert outcome(kind, damaged(kind, *draw_mutations(number))) == "refused: BadSource"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_damaged_inputs_end_in_a_result_or_in_one_line(kind: str) -> None:
    @seed(14)
    @settings(max_examples=2_000, **RULES)  # type: ignore[arg-type]
    @given(file=st.integers(0, 1), damage=DAMAGE)
    def many(file: int, damage: list[Mutation]) -> None:
        check(kind, file, damage)

    many()


def test_an_example_is_made_from_its_number_alone() -> None:
    file, drawn = draw_mutations(3)
    assert [(one.operation, one.choice) for one in drawn] == [("repeat", 2593816829), ("cut", 2601030205)]
    digest = hashlib.sha256(damaged("csv-list", file, drawn)).hexdigest()
    assert digest.startswith("95172a5f10333d4b")
