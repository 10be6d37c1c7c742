"""Every configuration in configs/ is valid, and its DAG shares what can be shared."""

import re
import subprocess
import sys

import pytest
import yaml

from tests.pipeline.conftest import REPOSITORY

EXPERIMENTS = {"americasnli": 10, "masakhaner": 9, "ud": 16, "xnli": 1, "xquad": 11}
"""Target languages of each experiment that downloads everything."""

LANGUAGE_SFTS = {"americasnli": (10, 1), "masakhaner": (10, 0), "ud": (16, 1), "xnli": (0, 0), "xquad": (0, 0)}
"""Those of them that are downloaded, and that are learnt."""

TASK_SFTS = ("americasnli", "masakhaner", "ud")
"""The experiments whose teacher is downloaded."""


def job_counts(configuration, folder):
    """Rule -> jobs of `snakemake -n all`."""
    finished = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--nocolor", "all",
            "--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder),
            "--workflow-profile", str(REPOSITORY / "profiles" / "default"), "--configfile", str(configuration),
        ],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-3000:]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", finished.stdout, re.MULTILINE)}


def check_sharing(counts, languages, teacher="fine_tune_teacher"):
    """One teacher and one base model for all languages, one student and one result for each."""
    assert counts["prepare_base_model"] == counts[teacher] == counts["prepare_training_data"] == 1
    for rule in ("trim_bilingual_vocabulary", "distil_phase1", "distil_phase2", "export_model", "assemble_result"):
        assert counts[rule] == languages
    assert counts["prepare_corpus"] == counts["prepare_test_data"] == languages + 1


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_shares_teacher_and_students(name, tmp_path):
    counts = job_counts(REPOSITORY / "configs" / f"{name}.yaml", tmp_path)
    check_sharing(counts, EXPERIMENTS[name], "compose_teacher" if name in TASK_SFTS else "fine_tune_teacher")
    downloaded, learnt = LANGUAGE_SFTS[name]
    assert counts["download_model"] == 1 + downloaded + (name in TASK_SFTS)
    assert counts.get("train_language_sft", 0) == learnt


def test_of_the_unseen_language_alone_a_fine_tuning_is_learnt(tmp_path):
    counts = job_counts(REPOSITORY / "configs" / "unseen.yaml", tmp_path)
    check_sharing(counts, 1)
    assert counts["train_language_sft"] == 1
    assert not any(rule.startswith("download") for rule in counts)


def test_no_configuration_is_left_out():
    assert {path.stem for path in (REPOSITORY / "configs").glob("*.yaml")} == {*EXPERIMENTS, "local", "unseen"}


def test_44_languages_in_one_configuration(tmp_path):
    config = yaml.safe_load((REPOSITORY / "configs" / "xquad.yaml").read_text())
    languages = [f"l{number}" for number in range(44)]
    pattern = config["corpora"]["de"]
    config["corpora"] = {"en": config["corpora"]["en"]} | {
        language: {**pattern, "source": {**pattern["source"], "name": f"20231101.{language}"}} for language in languages
    }
    config["benchmarks"]["xquad"]["languages"] = languages
    (tmp_path / "many.yaml").write_text(yaml.safe_dump(config))
    check_sharing(job_counts(tmp_path / "many.yaml", tmp_path), 44)
