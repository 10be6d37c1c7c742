"""The task teacher: the base model fine-tuned on labels in the source language, or in several (BiStil section 3.3)."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from transformers import set_seed

from bistil_core.files import replacing, write_json
from bistil_core.models.dropout import dropout_overrides
from bistil_core.models.loading import load_tokenizer
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.sparse_application import fingerprint
from bistil_core.models.sparse_overlay import SparseOverlay
from bistil_core.processes import is_first
from bistil_core.settings.checkpoints import DEFAULT_INTERVAL, CheckpointSettings
from bistil_core.settings.tasks import TeacherSettings
from bistil_core.tasks import task_named
from bistil_core.threads import limit_threads
from bistil_core.training.launching import in_processes
from bistil_core.training.multi_source import in_several_languages
from bistil_core.training.objectives import GoldLabels
from bistil_core.training.on_task import fine_tune_on_task, in_one_language
from bistil_core.training.resuming import checkpoints_of


@in_processes
def fine_tune_teacher(
    base_model: Path,
    data: Mapping[str, Path],
    output: Path,
    task: str,
    source_language: str,
    settings: TeacherSettings,
    seed: int,
    threads: int = 1,
    interval: CheckpointSettings = DEFAULT_INTERVAL,
    language_sfts: Mapping[str, Path] | None = None,
) -> None:
    """Fine-tune the base model on a task by LT-SFT and save the whole model, theta + phi_source + phi_task.

    With one language the model is at theta + phi_source throughout. With several it is theta that is trained, and for
    each batch the phi of its language is put over it, so that phi_task is learnt beside all of them.

    Args:
        base_model: folder of the massively multilingual Transformer, full vocabulary.
        data: by language the folder with train.parquet and validation.parquet, the source language's among them.
        output: folder for the model with its head, its tokenizer, sft.safetensors (the task's sparse
            fine-tuning alone) and training.json.
        task: such as "nli".
        source_language: code of the language whose phi the saved model has.
        settings: `teacher.<task>.fine_tuning` of the configuration.
        threads: of all processes together.
        interval: between checkpoints; an interrupted call goes on from its last one when it is made again.
        processes: that train together on this machine (`in_processes`), each on a GPU of its own where there are some.
        language_sfts: by language of `data` its phi, a sparse fine-tuning; 0 for those left out.

    Raises:
        BistilError: the language's sparse fine-tuning belongs to another base.
    """
    limit_threads(threads)
    language_sfts = language_sfts or {}
    inputs = {"base_model": base_model}
    inputs |= {f"data_{language}": folder for language, folder in data.items()}
    inputs |= {f"language_sft_{language}": sft for language, sft in language_sfts.items()}
    code = [__name__, f"bistil_core.tasks.{task}", f"bistil_core.data.formats.{task}"]
    checkpoints = checkpoints_of(output, inputs, settings, seed, code, interval)
    set_seed(seed)
    tokenizer = load_tokenizer(base_model)
    chosen = task_named(task)
    model = chosen.load_model(
        base_model, attn_implementation="eager", **dropout_overrides(base_model, settings.dropout)
    )
    # phi_task is learnt at theta + phi_source, but it belongs to theta: any language's may stand beside it.
    theta = {name: fingerprint(value) for name, value in model.base_model.named_parameters()}
    adapted = {language: SparseFineTuning.load(sft).without_replacements() for language, sft in language_sfts.items()}
    if len(data) > 1:
        examples = in_several_languages(chosen, data, tokenizer, settings, seed, SparseOverlay(model, adapted))
    else:
        examples = in_one_language(chosen, data[source_language], source_language, tokenizer, settings, seed)
        if source_language in adapted:
            adapted[source_language].apply(model)
    sft, record = fine_tune_on_task(
        model,
        chosen,
        examples,
        settings,
        seed,
        GoldLabels(chosen),
        checkpoints=checkpoints,
        stage=f"{task} teacher",
    )
    if len(data) > 1 and source_language in adapted:
        adapted[source_language].apply(model, check_base=False)
    fingerprints = {name: theta[name] for name in sft.differences}
    sft = replace(sft, metadata={**sft.metadata, "base_fingerprint": fingerprints})
    if not is_first():
        return
    with replacing(output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        sft.save(folder / "sft.safetensors")
        write_json(folder / "training.json", record)
    checkpoints.remove()
