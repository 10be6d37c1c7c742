"""Phase 2: the task, distilled from its teacher into the bilingual student by LT-SFT (BiStil section 3.3)."""

from pathlib import Path

import pyarrow.parquet as pq
from transformers import set_seed

from bistil_core.files import replacing, write_json
from bistil_core.models.loading import load_tokenizer
from bistil_core.processes import is_first
from bistil_core.settings.checkpoints import DEFAULT_INTERVAL, CheckpointSettings
from bistil_core.settings.tasks import Phase2Settings
from bistil_core.tasks import task_named
from bistil_core.threads import limit_threads
from bistil_core.training.launching import in_processes
from bistil_core.training.objectives import Distillation, GoldLabels, Objective
from bistil_core.training.on_task import fine_tune_on_task, in_one_language
from bistil_core.training.resuming import checkpoints_of
from bistil_core.vocabulary.trimmed_embeddings import trim_embeddings


@in_processes
def distil_phase2(
    student: Path,
    teacher: Path | None,
    vocabulary: Path,
    data: Path,
    output: Path,
    record: Path,
    task: str,
    source_language: str,
    settings: Phase2Settings,
    seed: int,
    threads: int = 1,
    interval: CheckpointSettings = DEFAULT_INTERVAL,
) -> None:
    """Learn the student's sparse fine-tuning for a task under L_attn + L_hidden + L_pred, or from the gold labels.

    Args:
        student: folder of the phase-1 student.
        teacher: folder that `fine_tune_teacher` wrote; its embedding rows are cut to the student's vocabulary;
            None: the student learns from the gold labels alone (BiStil-ST).
        vocabulary: folder that `trim_bilingual_vocabulary` wrote.
        data: folder with train.parquet and validation.parquet of the source language.
        output: the SFT, one safetensors file: sparse differences of the encoder and the full head.
        record: JSON file for the training record of each phase.
        task: such as "nli".
        source_language: code of the language that the labels are in.
        settings: `phase2.<task>` of the configuration.
        threads: of all processes together.
        interval: between checkpoints; an interrupted call goes on from its last one when it is made again.
        processes: that train together on this machine (`in_processes`), each on a GPU of its own where there are some.
    """
    limit_threads(threads)
    inputs = {"student": student, "vocabulary": vocabulary, "data": data}
    if teacher:
        inputs["teacher"] = teacher
    code = [__name__, f"bistil_core.tasks.{task}", f"bistil_core.data.formats.{task}"]
    checkpoints = checkpoints_of(output, inputs, settings, seed, code, interval)
    set_seed(seed)
    tokenizer = load_tokenizer(student)
    objective: Objective = GoldLabels(task_named(task))
    if teacher:
        kept_ids = pq.read_table(vocabulary / "kept_ids.parquet")["old_id"].to_numpy()
        task_teacher = trim_embeddings(task_named(task).load_model(teacher, attn_implementation="eager"), kept_ids)
        objective = Distillation(task_teacher, task_named(task), settings.temperature)
    model = task_named(task).load_model(student, attn_implementation="eager")
    sft, training = fine_tune_on_task(
        model,
        task_named(task),
        in_one_language(task_named(task), data, source_language, tokenizer, settings, seed),
        settings,
        seed,
        objective,
        checkpoints=checkpoints,
        stage=f"{task} phase 2",
    )
    if not is_first():
        return
    with replacing(output) as partial:
        sft.save(partial)
    write_json(record, training)
    checkpoints.remove()
