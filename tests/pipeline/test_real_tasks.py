"""The other tasks' real benchmark files through the whole DAG, with a small model of random weights."""

import json
import os
from pathlib import Path

import pytest

from tests.pipeline.conftest import REPOSITORY, Workspace

REAL = Path(os.environ.get("BISTIL_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.exists(), reason="the real benchmark files are not there (BISTIL_REAL_DATA)"),
]


def conll_sentences(path):
    """Words and tags of each sentence, read without the code under test."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        pairs = [line.split() for line in block.split("\n") if line.strip() and not line.startswith("-DOCSTART-")]
        if pairs:
            yield [pair[0] for pair in pairs], [pair[-1] for pair in pairs]


def conllu_sentences(path):
    """Words of each sentence, likewise."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line.split("\t") for line in block.split("\n") if line[:1].isdigit()]
        if lines:
            yield [cells[1] for cells in lines if cells[0].isdigit()]


def squad_questions(path):
    """Context and question of each question, likewise."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph["context"], question["question"]


def spans(tags):
    """Entities of the types that both data sets have, counted where they begin."""
    kinds = [tag if tag[2:] in ("PER", "ORG", "LOC") else "O" for tag in tags]
    return sum(
        tag != "O" and (tag[0] == "B" or before[2:] != tag[2:])
        for before, tag in zip(["O", *kinds], kinds, strict=False)
    )


def first_articles(path, output, articles):
    """The first articles of a SQuAD file, so that a rehearsal need not read all 88,000 questions."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    output.write_text(json.dumps({**whole, "data": whole["data"][:articles]}), encoding="utf-8")
    return str(output)


@pytest.fixture
def workspace(tmp_path):
    """Everything but text, tasks and benchmarks, which the tests add."""
    for language, contents in {
        "mt": map(" ".join, conllu_sentences(REAL / "ud/UD_Maltese-MUDT/mt_mudt-ud-train.conllu")),
        "fo": map(" ".join, conllu_sentences(REAL / "ud/UD_Faroese-FarPaHC/fo_farpahc-ud-train.conllu")),
        "swa": (" ".join(words) for words, _ in conll_sentences(REAL / "ner/masakhaner1/swa/train.txt")),
        "tr": sorted({context for context, _ in squad_questions(REAL / "qa/xquad/xquad.tr.json")}),
        "en": map(" ".join, conllu_sentences(REAL / "ud/UD_English-EWT/en_ewt-ud-train.conllu")),
    }.items():
        (tmp_path / f"{language}.txt").write_text("\n".join(contents) + "\n", encoding="utf-8")
    config = {
        "experiment": {"name": "real-tasks", "synthetic": True},
        "source_language": "en",
        "seed": 1,
        "base_models": {
            "tiny": {
                "source": {
                    "kind": "random", "model_type": "bert",
                    "tokenizer": str(REAL / "tokenizers" / "bert-base-multilingual-cased"),
                    "config": {
                        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                        "intermediate_size": 64, "max_position_embeddings": 512,
                    },
                }
            }
        },
        "corpora": {},
        "trim": {"threshold": 1.0e-6},
        "phase1": {
            "layer_reduction_factor": 2, "steps": 5, "batch_size": 4, "block_length": 64, "learning_rate": 1.0e-4,
            "evaluate_every": 5, "validation_blocks": 4, "mask_probability": 0.15,
        },
        "teacher": {},
        "phase2": {},
        "benchmarks": {},
        "evaluate": {"bootstrap_samples": 50, "speed_repeats": 1, "speed_length": 16, "batch_size": 64},
    }  # fmt: skip
    return Workspace(tmp_path, config)


def add(workspace, benchmark, task, languages, train, validation, test, epochs, max_length):
    """A benchmark whose teacher and student learn for a small part of an epoch."""
    fine_tuning = {
        "density": 0.1, "dense_epochs": epochs, "sparse_epochs": epochs, "batch_size": 16, "learning_rate": 1.0e-3,
        "max_length": max_length,
    }  # fmt: skip
    files = {
        name: {"kind": "files", "path": str(path)} for name, path in (("train", train), ("validation", validation))
    }
    workspace.config["teacher"][task] = {**files, "fine_tuning": fine_tuning}
    workspace.config["phase2"][task] = {**fine_tuning, "temperature": 2.0}
    workspace.config["benchmarks"][benchmark] = {
        "task": task, "base_model": "tiny", "languages": languages,
        "test": {"kind": "files", "path": str(workspace.folder / "test-{language}") + test.suffix},
    }  # fmt: skip
    for language in ("en", *languages):
        workspace.config["corpora"][language] = {
            "source": {"kind": "files", "paths": [f"{language}.txt"]},
            "validation_fraction": 0.1,
        }


def result_of(workspace, name):
    finished = workspace.snakemake(f"results/{name}.json")
    assert finished.returncode == 0, finished.stdout[-3000:]
    result = json.loads((workspace.folder / "results" / f"{name}.json").read_text())
    evaluations = {
        language: json.loads(
            (workspace.folder / "results/evaluations" / f"{result['benchmark']}_{language}_teacher.json").read_text()
        )
        for language in ("en", result["target_language"])
    }
    return result, evaluations


def test_masakhaner_in_swahili(workspace):
    english, swahili = REAL / "ner/conll2003_en", REAL / "ner/masakhaner1/swa"
    tests = {"en": english / "test.txt", "swa": swahili / "test.txt"}
    for language, path in tests.items():
        (workspace.folder / f"test-{language}.txt").symlink_to(path)
    add(workspace, "masakhaner", "ner", ["swa"], english / "train.txt", english / "dev.txt", tests["swa"], 0.05, 64)
    result, evaluations = result_of(workspace, "masakhaner_swa")
    for language, path in tests.items():
        sentences = list(conll_sentences(path))
        assert evaluations[language]["examples"] == len(sentences)
        assert result["scored"][language] == {"spans": sum(spans(tags) for _, tags in sentences)}
    assert set(result["all_metrics"]["student"]["swa"]) == {"f1", "precision", "recall", "f1_per", "f1_org", "f1_loc"}


def test_universal_dependencies_of_two_languages_with_one_teacher(workspace):
    english = REAL / "ud/UD_English-EWT"
    tests = {
        "en": english / "en_ewt-ud-test.conllu",
        "mt": REAL / "ud/UD_Maltese-MUDT/mt_mudt-ud-test.conllu",
        "fo": REAL / "ud/UD_Faroese-FarPaHC/fo_farpahc-ud-test.conllu",
    }
    for language, path in tests.items():
        (workspace.folder / f"test-{language}.conllu").symlink_to(path)
    train, validation = english / "en_ewt-ud-train.conllu", english / "en_ewt-ud-dev.conllu"
    add(workspace, "ud", "dp", ["mt", "fo"], train, validation, tests["mt"], 0.05, 64)
    for target in ("mt", "fo"):
        result, evaluations = result_of(workspace, f"ud_{target}")
        for language in ("en", target):
            sentences = list(conllu_sentences(tests[language]))
            assert evaluations[language]["examples"] == len(sentences)
            assert result["scored"][language] == {"words": sum(map(len, sentences))}
        assert set(result["all_metrics"]["teacher"][target]) == {"las", "uas"}
    assert len(list((workspace.folder / "results/teachers").iterdir())) == 1


def test_xquad_in_turkish(workspace):
    tests = {language: REAL / f"qa/xquad/xquad.{language}.json" for language in ("en", "tr")}
    for language, path in tests.items():
        (workspace.folder / f"test-{language}.json").symlink_to(path)
    train = first_articles(REAL / "qa/squad1.1/train.json", workspace.folder / "train.json", 4)
    validation = first_articles(REAL / "qa/squad1.1/dev.json", workspace.folder / "dev.json", 1)
    add(workspace, "xquad", "qa", ["tr"], train, validation, tests["tr"], 0.05, 128)
    result, evaluations = result_of(workspace, "xquad_tr")
    for language, path in tests.items():
        assert evaluations[language]["examples"] == len(list(squad_questions(path))) == 1190
        assert result["scored"][language] == {"questions": 1190}
    assert result["metric"] == "f1"
    assert set(result["all_metrics"]["student"]["tr"]) == {"f1", "exact_match"}
