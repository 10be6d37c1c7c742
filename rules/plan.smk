"""What the configuration will take, and what its steps have taken: `snakemake --cores 1 plan`."""


rule plan:
    log:
        "logs/plan.log",
    localrule: True
    conda:
        "../envs/bistil.yaml"
    resources:
        device="cpu",
    params:
        threads=training_threads(),
        taken=seconds_taken,
    message:
        "Plan: what every stage of the configuration takes"
    script:
        "../workflow_scripts/plan.py"
