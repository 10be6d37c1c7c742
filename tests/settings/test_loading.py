import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bistil_core.errors import BistilError
from bistil_core.settings.cross_checks import known_tasks
from bistil_core.settings.loading import load_configuration

ROOT = Path(__file__).parents[2]

SPARSE = """
      density: 0.08
      dense_epochs: 5
      sparse_epochs: 5
      batch_size: 32
      learning_rate: 2.0e-5
      max_length: 128"""
YAML = f"""
experiment: {{name: test, synthetic: true}}
base_models:
  mini: {{source: {{kind: miniature}}}}
corpora:
  en: {{source: {{kind: files, paths: [en.txt]}}}}
  sw: {{source: {{kind: miniature, documents: 10}}}}
phase1: {{learning_rate: 1.0e-4, batch_size: 8, steps: 100, evaluate_every: 10}}
teacher:
  nli:
    train: {{kind: files, path: train.tsv, columns: {{premise: text_a}}}}
    validation: {{kind: miniature, examples: 30}}
    fine_tuning: {SPARSE}
phase2:
  nli: {SPARSE}
benchmarks:
  xnli:
    task: nli
    base_model: mini
    languages: [sw]
    test: {{kind: files, path: "{{language}}.tsv", columns: [premise, hypothesis, label]}}
"""
VALID = yaml.safe_load(YAML)


def changed(dotted, value):
    """The valid configuration with one value in another's place."""
    values = copy.deepcopy(VALID)
    *above, last = dotted.split(".")
    section = values
    for key in above:
        section = section.setdefault(key, {})
    section[last] = value
    return values


def problems(values):
    with pytest.raises(BistilError) as error:
        load_configuration(values)
    header, *lines = str(error.value).split("\n  - ")
    assert header.startswith(f"The configuration has {len(lines)} problem")
    return lines


def test_a_valid_configuration_is_loaded_with_defaults():
    configuration = load_configuration(VALID)
    assert configuration.source_language == "en"
    assert configuration.trim.threshold == 1e-6
    assert configuration.phase1.learning_rate == 1e-4
    assert configuration.benchmarks["xnli"].test.columns == ["premise", "hypothesis", "label"]


@pytest.mark.parametrize(
    "path", [ROOT / "config.yaml", *sorted((ROOT / "configs").glob("*.yaml"))], ids=lambda path: path.name
)
def test_the_configurations_that_are_shipped_load(path):
    load_configuration(yaml.safe_load(path.read_text()))


def test_whole_numbers_are_numbers_of_either_kind():
    configuration = load_configuration(changed("phase1.steps", 3.0))
    assert (configuration.phase1.steps, type(configuration.phase1.steps)) == (3, int)
    configuration = load_configuration(changed("phase1.weight_decay", 1))
    assert (configuration.phase1.weight_decay, type(configuration.phase1.weight_decay)) == (1.0, float)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("phase1.learning_rate", "1e-4", ["'1e-4'", "a number, above 0", "YAML reads 1e-4 as text: write 1.0e-4"]),
        ("phase1.learning_rate", "2.5E3", ["write 2.5e+3"]),
        ("phase1.learning_rate", "0.1", ["take the quotes away"]),
        ("phase1.learning_rate", True, ["found True", "a number"]),
        ("phase1.learning_rate", 0, ["found 0", "above 0"]),
        ("phase1.learning_rate", float("nan"), ["found nan", "a number"]),
        ("phase1.steps", True, ["found True", "a whole number"]),
        ("phase1.steps", 2.5, ["found 2.5", "a whole number, at least 0"]),
        ("phase1.steps", -1, ["found -1", "at least 0"]),
        ("phase1.steps", None, ["found None", "the key has no value"]),
        ("phase1.seed", "one", ["found 'one'", "a whole number, at least 0 or null"]),
        ("phase1.precision", "float16", ["found 'float16'", "float32 or bfloat16"]),
        ("phase1.mask_probability", 1.0, ["found 1.0", "below 1.0"]),
        ("phase1.stepz", 3, ["unknown key", "did you mean steps?"]),
        ("phase1.zzz", 3, ["unknown key", "learning_rate, batch_size", "remove it"]),
        ("phse1", {}, ["unknown key", "did you mean phase1?"]),
        ("experiment", None, ["a mapping with name, synthetic", "the key has no value"]),
        ("experiment.name", 7, ["found 7", "text", "put quotes around it"]),
        ("experiment.synthetic", "yes", ["found 'yes'", "true or false"]),
        (
            "teacher.nli.train.kind",
            "file",
            ["found 'file'", "files or github or hub or miniature", "did you mean files?"],
        ),
        (
            "teacher.nli.train",
            {"path": "x"},
            ["a mapping whose kind is one of files, github, hub, miniature", "add a kind"],
        ),
        ("teacher.nli.train.examples", 3, ["unknown key", "kind, path, columns"]),
        ("teacher.nli.train.columns", {"premise": 1}, ["{'premise': 1}", "a mapping to text or a list of text"]),
        ("teacher.nli.train.columns", 3, ["found 3", "a mapping to text or a list of text"]),
        ("corpora.en.source.paths", [], ["found []", "a list of text, not empty"]),
        ("corpora.en.source.paths", "en.txt", ["found 'en.txt'", "a list of text"]),
        ("base_models.mini.source", {"kind": "random", "model_type": "bert"}, ["missing", "text"]),
        ("corpora.fa-IR", {"source": {"kind": "files", "paths": ["x"]}}, ["'fa-IR'", "letters and digits", "rename"]),
        ("benchmarks.XNLI", VALID["benchmarks"]["xnli"], ["'XNLI'", "lower-case letters and digits"]),
        ("base_models.a/b", VALID["base_models"]["mini"], ["'a/b'", "letters, digits"]),
        ("teacher.nil", VALID["teacher"]["nli"], ["unknown task", "did you mean nli?"]),
        ("benchmarks.xnli.task", "nlu", ["found 'nlu'", "did you mean nli?"]),
        ("benchmarks.xnli.base_model", "minni", ["entries of base_models (mini)", "did you mean mini?"]),
        ("benchmarks.xnli.languages", [], ["found []", "not empty"]),
        ("benchmarks.xnli.languages", ["tr"], ["'tr'", "entries of corpora (en, sw)", "add corpora.tr"]),
        ("benchmarks.xnli.languages", ["en"], ["source language 'en'", "take it out"]),
        ("benchmarks.xnli.languages", ["sw", "sw"], ["'sw' more than once"]),
        ("benchmarks.xnli.test.path", "sw.tsv", ["'sw.tsv'", "{language}"]),
        ("source_language", "fr", ["'fr'", "entries of corpora (en, sw)"]),
        ("experiment.synthetic", False, ["found False", "miniature", "set it to true"]),
        ("corpora.de", {"source": {"kind": "miniature", "documents": 3}}, ["no language 'de'", "en, sw", "files"]),
    ],
)
def test_each_problem_names_key_value_allowed_and_fix(key, value, says):
    lines = problems(changed(key, value))
    line = next(line for line in lines if line.startswith(key) or key.startswith(line.split(":")[0]))
    assert [part for part in says if part not in line] == []


def test_a_missing_key_says_what_belongs_there():
    values = changed("phase2.nli", {**VALID["phase2"]["nli"]})
    del values["phase2"]["nli"]["density"]
    (line,) = problems(values)
    assert line.startswith("phase2.nli.density: missing; allowed: a number, above 0.0, at most 1.0 (Share of")


def test_a_task_of_a_benchmark_needs_both_of_its_sections():
    values = copy.deepcopy(VALID)
    values["teacher"], values["phase2"] = {}, {}
    assert [line.split("; ")[1] for line in problems(values)] == [
        "allowed: the entries of teacher (none)",
        "allowed: the entries of phase2 (none)",
    ]


def test_the_miniature_has_only_its_own_languages_for_a_benchmark_too():
    values = changed("benchmarks.xnli.test", {"kind": "miniature", "examples": 10})
    values["benchmarks"]["xnli"]["languages"] = ["fi"]
    values["corpora"]["fi"] = {"source": {"kind": "files", "paths": ["fi.txt"]}}
    (line,) = problems(values)
    assert line.startswith("benchmarks.xnli.test: the miniature has no language 'fi'")


def test_norwegian_is_a_truth_value_for_yaml():
    values = yaml.safe_load(YAML.replace("languages: [sw]", "languages: [no]").replace("  sw: {", "  no: {"))
    lines = problems(values)
    assert [line.split(":")[0] for line in lines][:2] == ["corpora.False", "benchmarks.xnli.languages.0"]
    assert all("put quotes around it" in line for line in lines[:2])


def test_all_problems_are_reported_together():
    values = changed("phase1.steps", "many")
    values["phase1"]["stepz"] = 1
    values["benchmarks"]["xnli"]["base_model"] = "other"
    values["benchmarks"]["xnli"]["languages"] = ["tr"]
    del values["experiment"]
    keys = {line.split(":")[0] for line in problems(values)}
    assert keys == {
        "experiment",
        "phase1.steps",
        "phase1.stepz",
        "benchmarks.xnli.base_model",
        "benchmarks.xnli.languages",
    }


def test_an_empty_configuration_lists_every_section_that_is_needed():
    keys = [line.split(":")[0] for line in problems({})]
    assert keys == ["experiment", "base_models", "corpora", "phase1", "teacher", "phase2", "benchmarks"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.booleans() | st.integers(), inner)
    ),
    max_leaves=5,
)
KEYS = [
    "corpora",
    "corpora.sw.source",
    "phase1",
    "phase1.steps",
    "teacher.nli.train",
    "teacher.nli.train.columns",
    "base_models.mini.source",
    "benchmarks",
    "benchmarks.xnli",
    "benchmarks.xnli.languages",
    "benchmarks.xnli.test",
    "experiment",
    "source_language",
]


@settings(deadline=None)
@given(key=st.sampled_from(KEYS), value=anything)
def test_whatever_stands_there_the_answer_is_a_configuration_or_a_report(key, value):
    try:
        report = None
        load_configuration(changed(key, value))
    except BistilError as error:
        report = str(error)
    assert report is None or "\n  - " in report


def test_tasks_are_known_without_loading_them():
    assert "nli" in known_tasks()


def with_sfts(**changes):
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    return {**values, "train_language_sft": {"learning_rate": 1e-3, "batch_size": 8}, **changes}


def test_language_sfts_have_short_forms():
    chosen = load_configuration(with_sfts(language_sft={"en": "train", "sw": "owner/name"})).language_sft
    assert chosen["en"].kind == "train"
    assert (chosen["sw"].kind, chosen["sw"].repository, chosen["sw"].revision) == ("hub", "owner/name", "main")
    pinned = {"kind": "hub", "repository": "owner/name", "revision": "abc"}
    assert load_configuration(with_sfts(language_sft={"sw": pinned})).language_sft["sw"].revision == "abc"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"language_sft": {"xx": "train"}}, "language_sft.xx: found 'xx'"),
        ({"language_sft": {"sw": "trained"}}, "language_sft.sw: found 'trained'"),
        ({"language_sft": {"sw": "train"}, "train_language_sft": None}, "add train_language_sft"),
        (
            {
                "language_sft": {"sw": "owner/name"},
                "base_models": {name: {"source": {"kind": "miniature"}} for name in ("a", "b")},
            },
            "an experiment file per base model",
        ),
    ],
)
def test_language_sfts_that_cannot_be_are_refused(changes, says):
    with pytest.raises(BistilError) as error:
        load_configuration(with_sfts(**changes))
    assert says in str(error.value)


SFT = {"kind": "file", "path": "sft.safetensors"}


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({}, "teacher.nli: neither fine_tuning nor task_sft"),
        ({"fine_tuning": VALID["phase2"]["nli"], "task_sft": SFT}, "teacher.nli: both fine_tuning and task_sft"),
        (
            {"task_sft": {**SFT, "labels": ["entailment", "neutral"]}},
            "contradiction is not there once; allowed: each of",
        ),
        ({"task_sft": {**SFT, "lables": []}}, "did you mean labels?"),
        ({"task_sft": "owner"}, "found 'owner'"),
        ({"task_sft": SFT, "languages": ["en"]}, "found with task_sft, which is not trained"),
        ({"fine_tuning": VALID["phase2"]["nli"], "languages": ["sw"]}, "languages with the source language en"),
        (
            {"fine_tuning": VALID["phase2"]["nli"], "languages": ["en", "sw"]},
            "teacher.nli.train: the same data for en, sw",
        ),
        (
            {"fine_tuning": VALID["phase2"]["nli"], "languages": ["en", "xx"]},
            "teacher.nli.validation: the miniature has no language 'xx'",
        ),
        ({"fine_tuning": {**VALID["phase2"]["nli"], "densitty": 1}}, "teacher.nli.fine_tuning.densitty: unknown key"),
        ({"fine_tuning": {"density": 0.1}}, "teacher.nli.fine_tuning.max_length: missing"),
    ],
)
def test_a_teacher_is_fine_tuned_or_published_with_its_labels(section, says):
    data = {part: VALID["teacher"]["nli"][part] for part in ("train", "validation")}
    found = problems(changed("teacher.nli", {**data, **section}))
    assert any(says in line for line in found), found


def test_a_published_teacher_is_of_one_base_model():
    values = changed("teacher.nli.task_sft", "owner/name")
    del values["teacher"]["nli"]["fine_tuning"]
    load_configuration(values)
    values["base_models"]["other"] = values["base_models"]["mini"]
    values["benchmarks"]["another"] = {**values["benchmarks"]["xnli"], "base_model": "other"}
    assert any("one published sparse fine-tuning for the base models mini, other" in line for line in problems(values))
