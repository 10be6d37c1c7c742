import re

import pytest

from bistil_core.errors import BistilError
from bistil_core.hub.dataset_files import card_configurations, chosen_patterns, matching, usual_patterns

FILES = [
    "en/train-00000-of-00002.parquet",
    "en/train-00001-of-00002.parquet",
    "en/train-00000-of-00002.duckdb",
    "en/test-00000-of-00001.parquet",
    "data/train-00000-of-00001.parquet",
    "data/swh_Latn/train/000_00000.parquet",
    "data/swh_Latn/train/deep/000_00001.parquet",
    "data/swh_Latn_removed/train/000_00000.parquet",
    "xquad.ar/validation-00000-of-00001.parquet",
    "default/multi-train.parquet",
]


def listing(folder, recursive):
    below = [path for path in FILES if path.startswith(f"{folder}/" if folder else "")]
    return iter(path for path in below if recursive or path.rpartition("/")[0] == folder)


def first_match(alternatives):
    return next((found for patterns in alternatives if (found := matching(patterns, listing))), [])


@pytest.mark.parametrize(
    ("name", "split", "wanted"),
    [
        ("en", "train", ["en/train-00000-of-00002.parquet", "en/train-00001-of-00002.parquet"]),
        ("en", "test", ["en/test-00000-of-00001.parquet"]),
        (None, "train", ["data/train-00000-of-00001.parquet"]),
        ("swh_Latn", "train", ["data/swh_Latn/train/000_00000.parquet"]),
        ("xquad.ar", "validation", ["xquad.ar/validation-00000-of-00001.parquet"]),
        ("default", "train", ["default/multi-train.parquet"]),
        ("fr", "train", []),
        (None, "test", []),
    ],
)
def test_files_are_found_by_the_usual_names(name, split, wanted):
    assert first_match([[pattern] for pattern in usual_patterns(name, split)]) == wanted


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("data/swh_Latn/**", ["data/swh_Latn/train/000_00000.parquet", "data/swh_Latn/train/deep/000_00001.parquet"]),
        ("data/*/train/*", ["data/swh_Latn/train/000_00000.parquet", "data/swh_Latn_removed/train/000_00000.parquet"]),
        ("**/test-*", ["en/test-00000-of-00001.parquet"]),
        ("en/train-0000[1-9]-*", ["en/train-00001-of-00002.parquet"]),
        ("en/test-00000-of-0000?.parquet", ["en/test-00000-of-00001.parquet"]),
        ("en/test-00000-of-00001.parquet", ["en/test-00000-of-00001.parquet"]),
    ],
)
def test_a_star_stays_within_its_folder_and_two_do_not(pattern, wanted):
    assert matching([pattern], listing) == wanted


CARD = """---
pretty_name: Test
configs:
- config_name: sw
  data_files:
  - {split: train, path: [sw/a-*, sw/b.parquet]}
  - {split: test, path: sw/test-*}
- config_name: en
  data_files: "en/*.parquet"
- config_name: pt
  data_dir: portuguese
  data_files: [{split: train, path: "*.parquet"}]
- config_name: described only
---
text
"""


def test_a_card_declares_configurations_splits_and_patterns():
    assert card_configurations(CARD) == {
        "sw": {"train": ["sw/a-*", "sw/b.parquet"], "test": ["sw/test-*"]},
        "en": {"train": ["en/*.parquet"]},
        "pt": {"train": ["portuguese/*.parquet"]},
    }


@pytest.mark.parametrize("card", ["", "# No header", "---\nlanguage: en\n---\n", "---\n: [\n---\n", "---\n- a\n---\n"])
def test_a_card_that_declares_nothing_leaves_it_to_the_usual_names(card):
    assert card_configurations(card) == {}
    assert chosen_patterns("set", card, "sw", "test")[0] == ["sw/test-*.parquet"]


def test_what_the_card_declares_goes_before_the_usual_names():
    assert chosen_patterns("set", CARD, "en", "train") == [["en/*.parquet"]]


def test_the_only_configuration_and_the_default_one_need_no_name():
    only = "---\nconfigs:\n- config_name: plain_text\n  data_files: [{split: train, path: plain_text/train-*}]\n---\n"
    assert chosen_patterns("squad", only, None, "train") == [["plain_text/train-*"]]
    marked = CARD.replace("- config_name: en\n", "- config_name: en\n  default: true\n")
    assert chosen_patterns("set", marked, None, "train") == [["en/*.parquet"]]


@pytest.mark.parametrize(
    ("name", "split", "wanted"),
    [
        ("fr", "train", "no configuration 'fr' (`name`); it has: sw, en, pt"),
        (None, "train", "`name` is needed; it has: sw, en, pt"),
        ("sw", "dev", "configuration 'sw' has no `split` 'dev'; it has: train, test"),
    ],
)
def test_what_the_card_does_not_declare_is_refused_with_what_there_is(name, split, wanted):
    with pytest.raises(BistilError, match=re.escape(wanted)):
        chosen_patterns("set", CARD, name, split)
