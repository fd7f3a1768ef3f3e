"""The arguments of the commands, and their help: imports nothing that takes time."""

import argparse

from gpsearch.version import __version__

EXAMPLES = {
    "run": (
        "run search.toml",
        "run search.toml --n-calls 80 --n-jobs 2",
        "run search.toml --timeout 3600",
    ),
    "compare": (
        "compare search.toml --strategies gp random --n-repeats 6",
        "compare search-compare.db --json",
    ),
    "show": ("show search.db", "watch -n 10 gpsearch show search.db", "show search.db --forecast"),
    "best": ("best search.db", "best search.db --python", "best search.toml --ensemble"),
    "export": (
        "export search.db -o trials.csv",
        "export search.db --format json",
        "export search.db --format optuna -o optuna.db",
    ),
    "report": (
        "report search.db",
        "report search.db -o report.html",
        "report search.db --watch",
        "report a.db b.db",
    ),
    "serve": ("serve search.db", "serve runs/", "serve search.db other.db --port 8700"),
    "salvage": ("salvage damaged.db -o saved.db",),
    "widen": ("widen search.toml", "widen search.toml search.db"),
    "init": ("init > search.toml",),
    "completion": (
        "completion bash > ~/.local/share/bash-completion/completions/gpsearch",
        "completion fish > ~/.config/fish/completions/gpsearch.fish",
        'completion zsh > "${fpath[1]}/_gpsearch"',
    ),
}
SHELLS = ("bash", "zsh", "fish")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command; a command is named as "module of this room:function"."""
    parser = argparse.ArgumentParser(
        prog="gpsearch",
        description="Bayesian search for Keras models.",
        epilog=_examples("init", "run", "show", "best"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gpsearch {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: str, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.",
            epilog=_examples(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=command)
        return added

    run = add("run", "searches:run", "run the search of a configuration file, or continue it")
    run.add_argument("config", help="a TOML file; `gpsearch init` writes one")
    run.add_argument("--study", help="path of the record, in place of the configuration's")
    run.add_argument("--report", help="path of the report, in place of the configuration's")
    run.add_argument("--n-calls", type=int, help="trainings in all, including earlier runs")
    _add_evaluation(run, n_jobs="trainings at once, each in a worker process")

    compare = add(
        "compare",
        "searches:compare",
        "compare strategies over several runs each, or show a comparison",
    )
    compare.add_argument("subject", help="a TOML file to run or continue, or a comparison's study")
    compare.add_argument("--study", help="path of the record, in place of the configuration's")
    compare.add_argument("--strategies", nargs="+", help="such as: gp random grid tpe")
    compare.add_argument("--n-calls", type=int, help="trainings in each run")
    compare.add_argument("--n-repeats", type=int, help="runs of each strategy")
    _add_evaluation(compare, n_jobs="runs at once, each in a worker process")
    compare.add_argument("--json", action="store_true", help="print JSON, for programs")
    compare.add_argument("-o", "--output", help="a CSV file for every evaluation")
    compare.add_argument("--report", help="an HTML report to write")

    show = add("show", "records:show", "the state of a search and its best trial")
    show.add_argument("study")
    told = show.add_mutually_exclusive_group()
    told.add_argument("--forecast", action="store_true", help="and what more trials would gain")
    told.add_argument("--json", action="store_true", help="print JSON, for programs")

    best = add("best", "records:best", "the best configuration so far, or the best ensemble")
    best.add_argument("study", help="a study; with --ensemble the TOML file of its search")
    best.add_argument(
        "--ensemble",
        dest="command",
        action="store_const",
        const="searches:best_ensemble",
        help="which trials to average, and what that gains",
    )
    best.add_argument("-o", "--output", help="fit the ensemble, and write it as a .keras file")
    form = best.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, for programs")
    form.add_argument("--python", action="store_true", help="print a dict to paste, all digits")

    export = add("export", "records:export", "all trials as a table, or as a storage of Optuna")
    export.add_argument("study")
    export.add_argument(
        "--format", choices=["csv", "json", "optuna"], help="by default JSON for a .json, else CSV"
    )
    export.add_argument("-o", "--output", help="a file; standard output without it, for a table")

    report = add(
        "report", "records:report", "write the report of a study, of several, or of a comparison"
    )
    report.add_argument("study", nargs="+", help="several stand side by side on one page")
    report.add_argument("--format", choices=["html", "md"], help="by default that of the output")
    report.add_argument("-o", "--output", help="the file; the study's name with .html or .md")
    report.add_argument(
        "--watch", action="store_true", help="write it again as trials end, until the search ends"
    )

    serve = add("serve", "serve:serve", "show studies as pages that follow their searches")
    serve.add_argument("studies", nargs="+", metavar="study", help="a study, or a folder of them")
    serve.add_argument("--port", type=int, default=8600, help="on this machine; 0: any (8600)")

    widen = add(
        "widen", "searches:widen", "carry a study into a wider space, its trials counting as known"
    )
    widen.add_argument("config", help="the TOML file of the search, with the wider space")
    widen.add_argument("study", nargs="?", help="by default that of the configuration")

    damaged = add("salvage", "records:save", "save what can be read of a damaged study")
    damaged.add_argument("study")
    damaged.add_argument("-o", "--output", required=True, help="path of the new study")

    add("init", "records:init", "print a commented configuration to start from")

    script = add("completion", "completion:completion", "print a script that completes commands")
    script.add_argument("shell", choices=SHELLS)
    return parser


def _examples(*names: str) -> str:
    lines = [example for name in names for example in EXAMPLES[name][: 3 if len(names) == 1 else 1]]
    shown = [e if e.startswith("watch") else f"gpsearch {e}" for e in lines]
    return "examples:\n" + "\n".join(f"  {example}" for example in shown)


def _add_evaluation(parser: argparse.ArgumentParser, *, n_jobs: str) -> None:
    """Add the options that `run` and `compare` share: those of `searches.EVALUATION`."""
    parser.add_argument("--random-state", type=int, help="seed")
    parser.add_argument("--timeout", type=float, help="seconds after which no training starts")
    parser.add_argument("--n-jobs", type=int, help=n_jobs)
    parser.add_argument(
        "--dask", dest="executor", metavar="ADDRESS", help="a Dask scheduler, as tcp://host:8786"
    )
