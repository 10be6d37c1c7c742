"""XLM-R base, mBERT and mDeBERTa at full size: parameters beside the paper's, and what a training step takes.

    python benchmarks/model_sizes.py

The configurations are the real ones, the weights random. The vocabulary is cut to as many tokens as the paper's student
of half the layers has (its parameters tell), and both students take one step of phase 1 and one of phase 2. Each
model has a process of its own, so that peak memory is its own. The table is Markdown.
"""

import argparse
import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, PretrainedConfig

from bistil_core import build_student, select_parameters
from bistil_core.tasks import task_named
from bistil_core.threads import limit_threads
from bistil_core.training.lottery_ticket import sparsified_group
from bistil_core.training.objectives import Distillation
from bistil_core.training.sparse_optimiser import SparseAdamW
from bistil_core.vocabulary.trimmed_embeddings import trim_embeddings

BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
MODELS = {
    "mBERT": ("bert", {"vocab_size": 119_547, "max_position_embeddings": 512, "type_vocab_size": 2, "pad_token_id": 0}),
    "XLM-R base": (
        "xlm-roberta",
        {"vocab_size": 250_002, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1},
    ),
    "mDeBERTa-v3 base": (
        "deberta-v2",
        {
            "vocab_size": 251_000, "max_position_embeddings": 512, "type_vocab_size": 0, "pad_token_id": 0,
            "relative_attention": True, "position_buckets": 256, "max_relative_positions": -1,
            "pos_att_type": ["p2c", "c2p"], "share_att_key": True, "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
        },
    ),
}  # fmt: skip
PAPER = {"mBERT": (178, 67, 53), "XLM-R base": (278, 65, 51), "mDeBERTa-v3 base": (278, 75, 60)}
"""Millions of parameters: full, layer reduction factor 2 and 3 (Ansell et al. 2023)."""

BATCH, LENGTH = 4, 128
DENSITY = 0.08


def configuration(name: str) -> PretrainedConfig:
    model_type, values = MODELS[name]
    return AutoConfig.for_model(model_type, **BASE, **values)


def parameters(model: torch.nn.Module) -> int:
    return sum(value.numel() for value in model.parameters())


def tokens_of_the_papers_student(name: str) -> int:
    """The vocabulary size that gives the student of half the layers the paper's number of parameters."""
    config = configuration(name)
    config.num_hidden_layers //= 2
    with torch.device("meta"):
        student = AutoModel.from_config(config)
    beside = parameters(student) - config.vocab_size * config.hidden_size
    return round((PAPER[name][1] * 1e6 - beside) / config.hidden_size)


def measure(name: str, threads: int) -> dict[str, float]:
    """Parameters in millions, seconds of each step, and the peak resident memory in GB."""
    limit_threads(threads)
    torch.manual_seed(0)
    teacher = AutoModel.from_config(configuration(name), attn_implementation="eager")
    found = {"full": parameters(teacher) / 1e6}
    start = time.perf_counter()
    trim_embeddings(teacher, list(range(tokens_of_the_papers_student(name))))
    found["seconds to trim"] = time.perf_counter() - start
    found["tokens"] = teacher.config.vocab_size
    for factor in (2, 3):
        student = build_student(teacher, factor)
        found[f"LRF {factor}"] = parameters(student) / 1e6
        found[f"phase 1, LRF {factor}"] = one_step(student, Distillation(teacher), torch.optim.AdamW)
        found[f"phase 2, LRF {factor}"] = phase2_step(teacher, student)
        del student
    found["peak GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return found


def phase2_step(teacher: torch.nn.Module, student: torch.nn.Module) -> float:
    """Seconds of a step of the sparse part, the head new, the selection that of random moves."""
    task = task_named("nli")
    task_teacher, model = (with_head(encoder) for encoder in (teacher, student))
    group = sparsified_group(model)
    moved = {name: value.detach() + 1e-3 * torch.randn_like(value) for name, value in group.items()}
    masks = select_parameters({name: value.detach() for name, value in group.items()}, moved, DENSITY)
    del moved
    sparse = [{"params": list(group.values()), "masks": [masks[name] for name in group]}]
    return one_step(model, Distillation(task_teacher, task), lambda _, lr: SparseAdamW(sparse, lr=lr))


def with_head(encoder: torch.nn.Module) -> torch.nn.Module:
    """A classifier of three labels on an encoder, whose weights it shares."""
    config = encoder.config
    config.num_labels = 3
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    for name, value in list(model.named_parameters()):
        if not name.startswith(model.base_model_prefix + "."):
            owner, _, own_name = name.rpartition(".")
            setattr(model.get_submodule(owner), own_name, torch.nn.Parameter(0.02 * torch.randn(value.shape)))
    setattr(model, model.base_model_prefix, encoder)
    return model


def one_step(model: torch.nn.Module, objective: Distillation, optimiser_class) -> float:
    """Seconds of forward, backward and update."""
    model.train().requires_grad_(True)
    optimiser = optimiser_class(model.parameters(), lr=1e-4)
    ids = torch.randint(5, model.config.vocab_size, (BATCH, LENGTH))
    start = time.perf_counter()
    sum(objective(model, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}).values()).backward()
    optimiser.step()
    return time.perf_counter() - start


def main() -> None:
    """Measure every model and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()
    rows = {}
    for name in arguments.models:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            rows[name] = pool.submit(measure, name, arguments.threads).result()
    print("| | tokens | full | paper | LRF 2 | paper | LRF 3 | paper |\n|---|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        cells = [
            f"{row[key]:.1f}M | {paper}M" for key, paper in zip(("full", "LRF 2", "LRF 3"), PAPER[name], strict=True)
        ]
        print(f"| {name} | {row['tokens']:,} | {' | '.join(cells)} |")
    print(f"\nSeconds of one step of {BATCH} x {LENGTH} tokens on {arguments.threads} thread(s), and peak memory:\n")
    steps = [f"phase {phase}, LRF {factor}" for factor in (2, 3) for phase in (1, 2)]
    print(f"| | trimming | {' | '.join(steps)} | peak |\n|---|---|{'---|' * len(steps)}---|")
    for name, row in rows.items():
        seconds = " | ".join(f"{row[step]:.1f} s" for step in steps)
        print(f"| {name} | {row['seconds to trim']:.1f} s | {seconds} | {row['peak GB']:.1f} GB |")


if __name__ == "__main__":
    main()
