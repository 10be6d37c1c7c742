"""What each step asks of a cluster: memory, minutes, GPUs; more at each attempt. Profiles overrule it step by step."""

from math import ceil

from bistil_core.planning import resources
from bistil_core.planning.devices import DEVICES, gpu_of
from bistil_core.planning.inputs import NotMadeYet, parquet_size, rows_in
from bistil_core.planning.shapes import ModelShape
from bistil_core.threads import gpus_asked_for

MEMORY_MARGIN = 1.5
TIME_MARGIN = 3
"""Nodes are slower than what was measured, and shared."""

MINUTES_AT_LEAST = 15


def cluster_gpu():
    """The cluster's GPUs, whose speed its profile gives among the default resources; none: CPUs do it."""
    given = workflow.resource_settings._parsed_default_resources.get("tflops").raw
    return DEVICES["cpu"] if given is None else gpu_of(float(given))


def needs(need_of, trains=False):
    """The resources of a step: `need_of` takes its wildcards and inputs, which must be there to be asked about."""

    def need_or_default(wildcards, input):
        try:
            return need_of(wildcards, input)
        except NotMadeYet:
            raise
        except (OSError, ValueError, KeyError):
            # Files that cannot be read are the step's to complain of, in words for the person who gave them.
            return resources.Need()

    def megabytes(wildcards, input, attempt, threads, rulename, async_run):
        known = {"attempt": attempt, "threads": threads, "rulename": rulename, "async_run": async_run}
        processes = gpus_of(rulename, wildcards, input=input, **known) if trains else 1
        return ceil(attempt * processes * MEMORY_MARGIN * need_or_default(wildcards, input).bytes / 1e6)

    def minutes(wildcards, input, attempt):
        device = cluster_gpu() if trains else DEVICES["cpu"]
        seconds = need_or_default(wildcards, input).seconds(device, threads=1)
        return ceil(attempt * (MINUTES_AT_LEAST + TIME_MARGIN * seconds / 60))

    return {"mem_mb": megabytes, "runtime": minutes, "gpu": local_gpus() if trains else 0}


def gpus_of(rule, wildcards, **known):
    """The GPUs that the profile or the command line gives a step; each has a process, with memory of its own."""
    given = workflow.get_rule(rule).resources
    asked = {name: given[name].evaluate(wildcards, **known).value for name in ("gpu", "gres") if name in given}
    return gpus_asked_for(**asked)


def local_gpus():
    """1 where the step runs on this machine and it has a GPU, so that no other such step runs beside it."""
    return min(1, usable_gpus()) if LOCAL else 0


def light_need(wildcards, input):
    """Little memory, little work."""
    return resources.Need()


def corpus_need(wildcards, input):
    """Text is read as a stream; what is downloaded is compressed, as what is written."""
    files = (
        Path(file) for folder in map(Path, input) for file in ([folder] if folder.is_file() else folder.rglob("*"))
    )
    return resources.Need(text=sum(file.stat().st_size for file in files if file.is_file()) / resources.COMPRESSED)


def base_model_need(wildcards, input):
    """A base model is read and written; of one that is made of nothing only the configuration knows the size."""
    source = base_model_source(wildcards)
    if source.kind == "random":
        return resources.Need(4 * resources.PROCESS)
    return resources.loading_need(
        ModelShape.of(MINIATURE if source.kind.startswith("miniature") else folder_of(source))
    )


def folder_of(source):
    """The folder that a base model is read from."""
    return source.path if source.kind == "folder" else model_folder(source)


def counting_need(wildcards, input):
    """The whole corpus is tokenised."""
    return resources.reading_need(parquet_size(input.corpus))


def trimming_need(wildcards, input):
    """The base model is cut, and the held-out text of both corpora tokenised before and after for the statistics."""
    held_out = parquet_size(input.source_corpus, input.target_corpus, name="validation.parquet")
    return resources.trimming_need(ModelShape.of(input.base_model), held_out)


def language_sft_need(wildcards, input):
    """Both phases of a language's sparse fine-tuning."""
    base = ModelShape.of(input.base_model)
    return resources.language_sft_need(base, trained_language_sft(), parquet_size(input.corpus))


def phase1_need(wildcards, input):
    """Phase 1 with all its steps; the student is at most as large as the cut base model."""
    data = parquet_size(input.source_corpus, input.target_corpus)
    return resources.phase1_need(ModelShape.of(input.base_model), SETTINGS.phase1, data)


def teacher_need(wildcards, input):
    """All epochs of the teacher."""
    return labelled_need(ModelShape.of(input.base_model), teacher_settings(wildcards), input.data)


def composing_need(wildcards, input):
    """The base model is read, changed and written."""
    return resources.loading_need(ModelShape.of(input.base_model))


def phase2_need(wildcards, input):
    """All epochs of phase 2, with the teacher beside the student."""
    teacher = ModelShape.of(input.teacher) if input.teacher else None
    return labelled_need(ModelShape.of(input.student), phase2_settings(wildcards), [input.data], teacher)


def labelled_need(model, settings, folders, teacher=None):
    """A fine-tuning on examples, in folders, that may all be as long as they are allowed to be."""
    return resources.fine_tuning_need(
        model,
        settings,
        examples=sum(rows_in(folder, "train.parquet") for folder in folders),
        validation=sum(rows_in(folder, "validation.parquet") for folder in folders),
        data=parquet_size(*folders),
        tokens=settings.max_length,
        teacher=teacher,
    )


def scoring_need(wildcards, input):
    """Every test example once."""
    length = max_length(wildcards)["max_length"]
    return resources.scoring_need(
        ModelShape.of(input.model),
        examples=rows_in(input.test, "test.parquet"),
        batch=SETTINGS.evaluate.batch_size,
        length=length,
        tokens=length,
    )


def export_need(wildcards, input):
    """The student is read and written."""
    return resources.loading_need(ModelShape.of(input.student))


def both_models_need(wildcards, input):
    """Teacher and student are read, and run on few examples."""
    return resources.timing_need(ModelShape.of(input.teacher), ModelShape.of(input.student), SETTINGS.evaluate)
