"""The result that a user reads: results/{benchmark}_{language}.json."""

import logging
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from bistil_core.evaluation.description import describe_model
from bistil_core.evaluation.finished import load_finished
from bistil_core.evaluation.provenance import provenance
from bistil_core.files import read_json, write_json
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.tasks import task_named
from bistil_core.threads import limit_threads

LOGGER = logging.getLogger("bistil")
SCHEMA_VERSION = 1
SYSTEMS = ("student", "teacher")


def assemble_result(
    *,
    output: Path,
    benchmark: str,
    task: str,
    source_language: str,
    target_language: str,
    experiment: dict[str, Any],
    configuration: dict[str, Any],
    code: dict[str, str],
    seed: int,
    base_model: Path,
    teacher: Path,
    student: Path,
    phase2_record: Path,
    model: Path,
    sft: Path,
    vocabulary: Path,
    training_data: Path,
    test_data: dict[str, Path],
    corpora: dict[str, Path],
    counts: dict[str, Path],
    evaluations: dict[str, dict[str, Path]],
) -> None:
    """Gather what all steps found into one deterministic JSON file.

    Args:
        output: the file to write; its fields are described in docs/results.md.
        configuration: the configuration values that had a part in this result.
        teacher: folder of the task teacher.
        student: folder of the phase-1 student.
        phase2_record: training record of phase 2.
        model: folder of the production student.
        test_data: language -> folder of `prepare_test_data`.
        corpora: language -> folder of `prepare_corpus`.
        counts: language -> file of `count_corpus_tokens`.
        evaluations: system ("student", "teacher") -> language -> file of `evaluate_model`.
    """
    limit_threads(1)
    languages = (source_language, target_language)
    scores = {
        system: {language: read_json(evaluations[system][language]) for language in languages} for system in SYSTEMS
    }
    tokens = configuration["evaluate"]["speed_length"]
    models = {
        system: describe_model(load_finished(task_named(task), folder, attention="eager"), folder, tokens)
        for system, folder in (("teacher", teacher), ("student", model))
    }
    student_score, teacher_score = (scores[system][target_language]["score"] for system in SYSTEMS)
    learnt = SparseFineTuning.load(sft)
    trained_on = read_json(training_data / "provenance.json")
    base = read_json(base_model / "provenance.json")
    result = {
        "schema_version": SCHEMA_VERSION,
        "benchmark": benchmark,
        "task": task,
        "source_language": source_language,
        "target_language": target_language,
        "experiment": experiment,
        "base_model": {"name": base["name"], "revision": base["revision"], "sha256": base["sha256"]},
        "data": {
            "train": trained_on["train"],
            "validation": trained_on["validation"],
            "test": read_json(test_data[target_language] / "provenance.json")["test"],
            "source_test": read_json(test_data[source_language] / "provenance.json")["test"],
            "corpora": {
                language: {
                    **read_json(corpora[language] / "provenance.json"),
                    "tokens": pc.sum(pq.read_table(counts[language])["count"]).as_py(),
                }
                for language in languages
            },
        },
        "metric": scores["student"][target_language]["metric"],
        "scores": _each(scores, "score"),
        "intervals": _each(scores, "interval"),
        "all_metrics": _each(scores, "metrics"),
        "scored": {language: found["scored"] for language, found in scores["student"].items()},
        "retention": {target_language: student_score / teacher_score if teacher_score else None},
        "models": models,
        "compression": {
            name: models["teacher"][key] / models["student"][key]
            for name, key in (
                ("parameters", "parameters"),
                ("bytes", "bytes"),
                ("flops", "flops_per_example"),
            )
        },
        "vocabulary": read_json(vocabulary / "statistics.json"),
        "sparse_fine_tuning": {
            "density": learnt.metadata["density"],
            "tuned_parameters": learnt.tuned_parameters,
            "bytes": sft.stat().st_size,
        },
        "warnings": _warnings(read_json(student / "training.json"))
        + _warnings(read_json(teacher / "training.json"))
        + _warnings(read_json(phase2_record)),
        "provenance": provenance(configuration, code, seed),
    }
    write_json(output, result)
    LOGGER.info(
        "%s: %s in %s: student %.4f, teacher %.4f; %.2f times fewer parameters%s",
        output,
        result["metric"],
        target_language,
        student_score,
        teacher_score,
        result["compression"]["parameters"],
        " (synthetic data)" if experiment["synthetic"] else "",
    )


def _each(scores: dict[str, dict[str, dict]], key: str) -> dict[str, dict[str, Any]]:
    return {
        system: {language: found[key] for language, found in by_language.items()}
        for system, by_language in scores.items()
    }


def _warnings(record: dict[str, Any]) -> list[str]:
    """What a training record, or the records of its phases, warn of."""
    phases = [record] if "warnings" in record else record.values()
    return [warning for phase in phases for warning in phase["warnings"]]
