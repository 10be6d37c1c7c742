import copy
from pathlib import Path

import pytest
import yaml

from bistil_core.errors import BistilError
from bistil_core.settings.loading import load_configuration

CONFIGURATIONS = Path(__file__).parents[2] / "configs"
AMERICAS = yaml.safe_load((CONFIGURATIONS / "americasnli.yaml").read_text(encoding="utf-8"))


def changed(dotted, value):
    values = copy.deepcopy(AMERICAS)
    *above, last = dotted.split(".")
    section = values
    for key in above:
        section = section[key]
    section[last] = value
    return values


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("base_models.xlmr.source.repository", "xlm-roberta-base", "owner/name on the hub"),
        ("base_models.xlmr.source.revision", 2.17, "put quotes around it"),
        ("corpora.en.source.maximum_characters", 0, "a whole number, at least 1"),
        ("corpora.en.source.text_colum", "text", "did you mean text_column?"),
        ("benchmarks.americasnli.test.name", "aym", "a name or a split with {language}"),
        ("benchmarks.americasnli.source_test", {"kind": "miniature", "examples": 3}, "true where any data is made up"),
    ],
)
def test_what_is_wrong_with_a_source_on_the_hub_is_said(key, value, says):
    with pytest.raises(BistilError) as error:
        load_configuration(changed(key, value))
    assert says in str(error.value)


@pytest.mark.parametrize("key", ["base_models.xlmr.source", "corpora.aym.source", "benchmarks.americasnli.test"])
def test_a_revision_is_needed(key):
    values = copy.deepcopy(AMERICAS)
    section = values
    for part in key.split("."):
        section = section[part]
    del section["revision"]
    with pytest.raises(BistilError, match=rf"{key}\.revision: missing"):
        load_configuration(values)


def test_source_test_stands_in_for_the_source_language_alone():
    benchmark = load_configuration(AMERICAS).benchmarks["americasnli"]
    assert benchmark.test_in("en", "en") == benchmark.source_test
    assert benchmark.test_in("aym", "en") == benchmark.test
    without = load_configuration(yaml.safe_load((CONFIGURATIONS / "xnli.yaml").read_text())).benchmarks["xnli"]
    assert without.test_in("en", "en") == without.test


@pytest.mark.parametrize("name", ["xnli", "americasnli"])
def test_the_papers_hyper_parameters_are_configured(name):
    configuration = load_configuration(yaml.safe_load((CONFIGURATIONS / f"{name}.yaml").read_text()))
    student, phase1 = configuration.phase2["nli"], configuration.phase1
    # AmericasNLI's teacher is downloaded.
    for learnt in filter(None, (configuration.teacher["nli"].fine_tuning, student)):
        assert (learnt.density, learnt.dense_epochs, learnt.sparse_epochs) == (0.08, 5, 5)
        assert (learnt.batch_size, learnt.learning_rate, learnt.evaluate_every) == (32, 2.0e-5, 625)
        assert (learnt.max_length, learnt.freeze_layer_norm) == (128, True)
    assert student.temperature == 2
    assert (phase1.steps, phase1.batch_size, phase1.block_length, phase1.learning_rate) == (200_000, 8, 256, 1.0e-4)
    assert (phase1.layer_reduction_factor, phase1.mask_probability, phase1.evaluate_every) == (2, 0.15, 1000)
    assert configuration.trim.threshold == 1.0e-6
