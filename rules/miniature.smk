"""How the model that the miniature starts from was made. No result asks for it: it is shipped."""


rule pretrain_miniature:
    output:
        directory("results/miniature/mmt"),
    log:
        "logs/pretrain_miniature.log",
    conda:
        "../envs/bistil.yaml"
    params:
        code=code_of("pretrain_miniature"),
    message:
        "Pretrain the miniature's multilingual model anew"
    script:
        "../workflow_scripts/pretrain_miniature.py"
