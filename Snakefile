"""BiStil from corpora to results: `snakemake --cores 8 results/xnli_sw.json`. See README.md."""

from snakemake.utils import min_version

min_version("9.27")

# A --configfile is a whole experiment of its own: nothing of the miniature may leak into it.
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config.yaml"


include: "rules/common.smk"
include: "rules/terminal.smk"
include: "rules/lookups.smk"
include: "rules/resources.smk"


localrules:
    all,
    clean,


rule all:
    input:
        [
            f"results/{benchmark}_{language}.json"
            for benchmark, settings in SETTINGS.benchmarks.items()
            for language in settings.languages
        ],
    message:
        "Every benchmark and language of the configuration"


rule clean:
    log:
        "logs/clean.log",
    conda:
        "envs/bistil.yaml"
    params:
        kept=SETTINGS.keep_intermediates,
    message:
        "Delete what no later step needs any more"
    script:
        "workflow_scripts/clean.py"


include: "rules/downloads.smk"
include: "rules/inputs.smk"
include: "rules/vocabulary.smk"
include: "rules/language_sft.smk"
include: "rules/phase1.smk"
include: "rules/teacher.smk"
include: "rules/phase2.smk"
include: "rules/evaluation.smk"
include: "rules/miniature.smk"
include: "rules/plan.smk"


onsuccess:
    report_results()


onerror:
    TERMINAL.report_failures()
