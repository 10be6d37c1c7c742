from hypothesis import given
from hypothesis import strategies as st

from bistil_core.settings.canonical import canonical, seed_of
from bistil_core.settings.configuration import Configuration
from bistil_core.settings.corpora import CorpusSettings
from bistil_core.settings.phase1 import Phase1Settings

PHASE1 = {"learning_rate": 1.0e-4, "batch_size": 8, "steps": 10, "evaluate_every": 5}

numbers = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def shuffled(value):
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(st.dictionaries(st.text(), values))
def test_the_order_of_keys_and_the_kind_of_number_do_not_show(section):
    assert repr(canonical(section)) == repr(canonical(shuffled(section)))
    assert canonical(section) == section


def test_a_change_of_a_value_shows():
    assert repr(canonical(Phase1Settings(**PHASE1))) != repr(canonical(Phase1Settings(**{**PHASE1, "steps": 11})))
    assert repr(canonical({"a": 1, "b": 2})) != repr(canonical({"a": 2, "b": 1}))
    assert repr(canonical({"a": True})) != repr(canonical({"a": 1}))


def test_defaults_written_out_are_the_same():
    written = {**PHASE1, "batch_size": 8.0, "weight_decay": 0, "layer_reduction_factor": 2}
    assert repr(canonical(Phase1Settings(**PHASE1))) == repr(canonical(Phase1Settings(**written)))


def test_a_section_comes_back_from_its_canonical_form():
    for section in (
        Phase1Settings(**PHASE1),
        CorpusSettings(source={"kind": "files", "paths": ["b", "a"]}, validation_fraction=0.1),
    ):
        assert type(section)(**canonical(section)) == section


def test_values_beside_a_section_take_part():
    section = CorpusSettings(source={"kind": "miniature", "documents": 3})
    form = canonical(section, language="sw", seeds=(1, 2.0))
    assert list(form) == sorted(form)
    assert (form["language"], form["seeds"], form["source"]["documents"]) == ("sw", [1, 2], 3)


def test_a_step_has_its_own_seed_or_the_global_one():
    configuration = Configuration.model_construct(seed=7)
    assert seed_of(configuration, Phase1Settings(**PHASE1)) == 7
    assert seed_of(configuration, Phase1Settings(**PHASE1, seed=0)) == 0
