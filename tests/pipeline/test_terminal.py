"""What the terminal shows of a run."""

import re


def test_a_line_for_each_finished_step_with_its_key_figures(workspace):
    run = workspace.snakemake("results/corpora/en", "results/corpora/sw")
    assert run.returncode == 0, run.stdout
    lines = sorted(re.findall(r"^\[\d/2\] prepare_corpus (.*)", run.stdout, re.MULTILINE))
    patterns = [rf"{code}: \d:\d\d:\d\d; {code}: 120 documents read, 120 kept .*" for code in ("en", "sw")]
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines, strict=True)), run.stdout
    assert "steps (50%) done" not in run.stdout


def test_failures_are_listed_at_the_end_with_their_logs(workspace):
    (workspace.folder / "sw.txt").write_text("")
    run = workspace.snakemake("results/corpora/sw")
    assert run.returncode != 0
    assert "prepare_corpus failed: open logs/prepare_corpus/sw.log to see why." in run.stdout.split("\n\n")[-1]
    assert run.stdout.count("to see why") == 1


def test_a_dry_run_gives_reasons_and_no_progress(workspace):
    plan = workspace.snakemake("results/corpora/en", dry_run=True)
    assert "Reason: Missing output files: results/corpora/en" in plan.stdout
    assert "[1/1]" not in plan.stdout
