import re
import sys
from importlib import resources

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from gpsearch.config import load_config
from gpsearch.config.toml_source import Source
from gpsearch.errors import GPSearchError, InvalidConfigError
from gpsearch.execution import BelowNoise, ExpectedGain, NoImprovement, TargetScore
from gpsearch.study import Study

GOOD = """
study = "runs/my.db"

[data]
dataset = "iris"

[objective]
cv = 3
scoring = "accuracy"

[search]
n_calls = 7

[space]
learning_rate = { type = "real", low = 1e-4, high = 1.0, prior = "log-uniform" }
opt = ["adam", "sgd"]
momentum = { low = 0.0, high = 0.9, when = { opt = ["sgd"] } }
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="search.toml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_file_is_one_call_of_search(write):
    config = load_config(write(GOOD))
    assert config.objective.name == "mlp"
    assert config.objective.n_folds == 3
    assert config.search == {"n_calls": 7}
    assert config.space.names == ["learning_rate", "opt", "momentum"]
    assert config.space.params([0.1, "adam", 0.5]) == {"learning_rate": 0.1, "opt": "adam"}
    assert (str(config.study), str(config.report)) == ("runs/my.db", "runs/my.html")


@pytest.mark.parametrize("named", ["own_model.py:create_model", "own_model:create_model"])
def test_a_module_beside_the_configuration_is_found_from_anywhere(named, write, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    for name in ("own_model", "own_helper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    write("from own_helper import build as create_model\n", "own_model.py")
    write("from gpsearch import mlp as build\n", "own_helper.py")
    text = GOOD.replace("[objective]", f'[objective]\ncreate_model = "{named}"')
    assert load_config(write(text)).objective.name == "mlp"


def test_files_of_the_users_folder_are_named_with_a_tilde(write, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "rows.csv").write_text("a,label\n" + "1.0,0\n2.0,1\n" * 6)
    (home / "model.py").write_text("from gpsearch import mlp as create_model\n")
    text = GOOD.replace('"runs/my.db"', '"~/runs/my.db"').replace(
        'dataset = "iris"', 'file = "~/rows.csv"\ntarget = "label"'
    )
    text = text.replace("[objective]", '[objective]\ncreate_model = "~/model.py:create_model"')
    config = load_config(write(text))
    assert config.study == home / "runs" / "my.db"
    assert config.report == home / "runs" / "my.html"
    assert config.comparison["study"] == home / "runs" / "my-compare.db"
    assert len(config.objective.X) == 12


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('"by_name"', "by_name"),
        ('"none"', None),
        ("{ learning_rate = 1e-3 }", {"learning_rate": 1e-3}),
    ],
)
def test_the_prior_of_the_optimum_is_written_as_in_python(write, written, read):
    text = GOOD.replace("n_calls = 7", f"n_calls = 7\noptimum_prior = {written}")
    config = load_config(write(text))
    assert config.search["optimum_prior"] == config.comparison["optimum_prior"] == read


def test_none_is_written_as_a_text_wherever_python_takes_it(write):
    nones = "".join(f'{name} = "none"\n' for name in ("max_same_errors", "stop", "callback"))
    text = GOOD.replace("n_calls = 7", nones).replace("cv = 3", 'callbacks = "none"')
    config = load_config(write(text))
    assert config.search == {"max_same_errors": None, "stop": None, "callback": None}
    assert config.comparison["max_same_errors"] is None


@pytest.mark.parametrize(("written", "read"), [("seconds", "seconds"), ("none", None)])
def test_the_cost_is_a_text_and_serves_the_comparison_as_well(write, written, read):
    config = load_config(write(GOOD.replace("n_calls = 7", f'n_calls = 7\ncost = "{written}"')))
    assert config.search["cost"] == config.comparison["cost"] == read


def test_without_a_space_the_mlp_is_searched_over_its_own(write):
    config = load_config(write('[data]\ndataset = "iris"\n'))
    assert "learning_rate" in config.space.names
    assert str(config.study) == "search.db"


def test_functions_and_tables_are_found_beside_the_file(write, tmp_path):
    write("def create_model(width):\n    ...\n", "model.py")
    write("a,b,label\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(60)), "table.csv")
    config = load_config(
        write(
            '[data]\nfile = "table.csv"\ntarget = "label"\n'
            '[objective]\ncreate_model = "model.py:create_model"\n[space]\nwidth = [1, 2]\n'
        )
    )
    assert config.objective.name == "create_model"


def test_a_function_of_a_file_travels_to_worker_processes(write, monkeypatch):
    write("FACTOR = 3\n\ndef create_model(width):\n    return FACTOR * width\n", "travels.py")
    config = load_config(
        write(
            '[data]\ndataset = "iris"\n[objective]\ncreate_model = "travels.py:create_model"\n'
            "[space]\nwidth = [1, 2]\n"
        )
    )
    packed = cloudpickle.dumps(config.objective.model_function.create_model)
    monkeypatch.delitem(sys.modules, "gpsearch_config_travels")  # as in another process
    assert cloudpickle.loads(packed)(2) == 6


def test_a_function_can_load_the_data(write):
    write(
        "import numpy as np\ndef load():\n    return np.eye(60), np.arange(60) % 2\n", "my_data.py"
    )
    config = load_config(write('[data]\nfunction = "my_data.py:load"\n'))
    np.testing.assert_array_equal(np.asarray(config.objective.X), np.eye(60))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cv = 3\n[space", "Expected .*at end of document"),
        ("\n\n\nx = [1, =]", "Invalid value .*line 4, column 9"),
        ("x = 1\nx = 2", "Cannot overwrite a value"),
    ],
)
def test_a_file_that_is_not_toml_is_told_where(tmp_path, text, message):
    path = tmp_path / "search.toml"
    path.write_text(text)
    with pytest.raises(InvalidConfigError, match=rf"search\.toml is not valid TOML: {message}"):
        load_config(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n_calls = 7", "n_cals = 7", r"line 12: \[search\] n_cals is not known.*'n_calls'"),
        ("cv = 3", "folds = 3", r"line 8: \[objective\] folds is not known"),
        ("[space]", "[spaces]", r"line 14: spaces is not known; did you mean 'space'"),
        ('dataset = "iris"', 'dataset = "irises"', r"line 5: \[data\] dataset is 'irises'"),
        ('dataset = "iris"', "", r"line 4: \[data\] needs exactly one of"),
        ('dataset = "iris"', 'file = "no.csv"', r"line 5: \[data\] file cannot be read"),
        ('dataset = "iris"', 'file = "no.xls"', r"'no.xls'; it must be .* one \.csv or \.parquet"),
        ('dataset = "iris"', 'file = ["a.csv", "b.csv"]', r"line 5.*\['a.csv', 'b.csv'\]; it must"),
        ('dataset = "iris"', 'function = "nope"', "module:name"),
        ('dataset = "iris"', 'function = "no.py:load"', "cannot be loaded: there is no file"),
        ('dataset = "iris"', 'function = "json:__doc__"', "not a function"),
        ("low = 1e-4", "low = 2.0", r"line 15: \[space\] learning_rate: .*bounds 2.0 and 1.0"),
        ('"adam", "sgd"]', '"adam", "adam"]', r"line 16: \[space\] opt: .*occur once"),
        ('["sgd"] }', '["sdg"] }', "condition on 'momentum'"),
        ("cv = 3", "cv = ", "not valid TOML: Invalid value .*line 8"),
        ("cv = 3", "cv = 1", r"line 8: \[objective\] cv = 1: .*at least 2"),
        ("cv = 3", 'cv = 3\nepochs = "9"', r"line 9: \[objective\] epochs = '9': .*whole number"),
        (
            "cv = 3",
            'cv = 3\nmetrics = ["f11"]',
            r"line 9: \[objective\] metrics = 'f11': .*mean 'f1'",
        ),
        ("cv = 3", "cv = 3\ncallbacks = 3", r"line 9: \[objective\] callbacks is 3; write"),
        ("cv = 3", 'cv = 3\ncreate_model = "mpl"', r"line 9: \[objective\] .*ready-made network"),
        ('"accuracy"', '"acuracy"', r"line 9: \[objective\] scoring = 'acuracy': no"),
        ("n_calls = 7", 'study = "x.db"', r"line 12: \[search\] study .*top of the file"),
        ("n_calls = 7", "stop = 3", r"line 12: \[search\] stop is 3"),
        ("n_calls = 7", "stop = { patience = 3 }", "line 12.*'patience'; its rules are"),
        ("n_calls = 7", "stop = { no_improvement = 2.5 }", "{no_improvement = 2.5}: must be a wh"),
        ("n_calls = 7", "stop = { no_improvement = 0 }", "line 12.*improvement = 0}: must be a"),
        ("n_calls = 7", "stop = { below_noise = 1 }", "{below_noise = 1}: must be true or"),
        ('"runs/my.db"', "3", "line 2: study is 3; it must be the name of a file"),
        ('"runs/my.db"', r'"a\u0000b"', r"line 2: study is 'a\\x00b'; it must be the name of"),
        ('dataset = "iris"', 'dataset = "iris"\ntarget = "a"', "line 6.*column of a file"),
        ('dataset = "iris"', 'function = "json:loads"', "line 5.*raised TypeError"),
        (
            'opt = ["adam"',
            'learning_rte = 0.1\nopt = ["adam"',
            r"line 16: \[space\] learning_rte: mlp does not",
        ),
        ("n_calls = 7", "n_calls = 0", r"line 12: \[search\] n_calls = 0: .*at least 1"),
        (
            "n_calls = 7",
            'strategy = "gpp"',
            r"line 12: .* strategy = 'gpp': no such strategy",
        ),
        ("n_calls = 7", 'cost = "money"', r"line 12: .* cost = 'money': .*'work' or 'seconds'"),
        ("n_calls = 7", "cost = 3", r"line 12: .* cost = 3: .*'seconds', or \"none\"\.$"),
        ("n_calls = 7", "timeout = true", r"line 12: .* timeout = true: .*, or \"none\"\.$"),
        ("n_calls = 7", 'isolate = "none"', r"line 12: .* isolate = \"none\": .*true or false\.$"),
        ("n_calls = 7", "confirm = 2", r"line 12: .* confirm = 2: .*, or true or false\.$"),
        ("cv = 3", "cv = 3\npatience = 0", r"line 9: .* patience = 0: .*, or \"none\"\.$"),
        (
            'opt = ["a',
            'drop_rate = 3\nopt = ["a',
            r"line 16: \[space\] drop_rate = 3: .*0 to 1",
        ),
        ('["sgd"] }', "[] }", r"line 17: \[space\] momentum: .*no value of 'opt'"),
        ("n_calls = 7", 'stop = ["below_noise"]', r"line 12: \[search\] stop is \['below"),
        (
            "n_calls = 7",
            "optimum_prior = { lr = 1.0 }",
            r"line 12: .* optimum_prior: 'lr' is not a dimension",
        ),
        (
            "n_calls = 7",
            'x0 = { lr = 1.0, opt = "sgd" }',
            r"line 12: \[search\] x0 = \{lr = 1.0\}: .*'lr'",
        ),
        ("n_calls = 7", 'timeout = "1h"', r"line 12: \[search\] timeout = '1h': .*seconds"),
        ("n_calls = 7", "x0 = [{ lr = 0.5 }]", r"line 12: \[search\] x0 = \{lr = 0.5\}: .*'lr'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(write, old, new, message):
    assert old in GOOD
    with pytest.raises(GPSearchError, match=message):
        load_config(write(GOOD.replace(old, new))).run(study=None)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("n_repeats = 1", r"line 19: \[compare\] n_repeats = 1: .*at least 2 repeats"),
        ('strategies = ["gp", "bo"]', r"line 19: \[compare\] strategies = 'bo': no such"),
    ],
)
def test_what_is_wrong_with_a_comparison_is_named_with_its_line(write, tmp_path, table, message):
    with pytest.raises(GPSearchError, match=message):
        load_config(write(f"{GOOD}[compare]\n{table}\n")).compare(study=tmp_path / "a.db")


def test_an_override_is_not_blamed_on_the_file(write):
    with pytest.raises(GPSearchError, match=r"^search\(n_calls=0\)"):
        load_config(write(GOOD)).run(study=None, n_calls=0)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("search.n_calls = 0\n" + GOOD.replace("[search]\nn_calls = 7\n", ""), "n_calls", 1),
        (GOOD.replace("[search]", "[ 'search' ] # budget"), "n_calls", 12),
        (GOOD.replace("n_calls", '"n_calls"'), "n_calls", 12),
        (GOOD.replace('["adam", "sgd"]', '[\n  "adam",\n  "sgd",\n]'), "momentum", 20),
        (f'{GOOD}[space.width]\ncategories = ["a"]\n', "width", 18),
    ],
    ids=["dotted", "quoted table", "quoted key", "over several lines", "table of its own"],
)
def test_the_line_is_found_however_the_file_is_written(write, text, key, line):
    table = "search" if key == "n_calls" else "space"
    assert Source(write(text)).line_of(table, key) == line


def test_stop_rules_are_written_as_a_table(write):
    rules = (
        "stop = { target_score = 0.9, no_improvement = 4, expected_gain = 1, below_noise = true }"
    )
    config = load_config(write(GOOD.replace("n_calls = 7", rules)))
    assert config.search["stop"] == [
        TargetScore(score=0.9),
        NoImprovement(trials=4),
        ExpectedGain(below=1),
        BelowNoise(),
    ]


def test_what_is_python_is_named(write):
    write(
        "from sklearn.model_selection import KFold\n"
        "from sklearn.preprocessing import MinMaxScaler\n"
        "cv = KFold(4)\nscaler = MinMaxScaler()\n"
        "def last_folds(study, trial):\n    return True\n",
        "mine.py",
    )
    config = load_config(
        write(
            GOOD.replace("cv = 3", 'cv = "mine.py:cv"\npreprocess = "mine.py:scaler"').replace(
                "n_calls = 7", 'racing = "mine.py:last_folds"'
            )
        )
    )
    assert isinstance(config.objective.cv, KFold)
    assert config.objective.n_folds == 4
    assert type(config.objective.preprocess).__name__ == "MinMaxScaler"
    assert config.search["racing"].__name__ == "last_folds"


def test_the_line_of_a_persons_own_code_is_told(write):
    write("def load():\n    raise ValueError('no such table')\n", "data.py")
    with pytest.raises(
        InvalidConfigError, match=r"ValueError: no such table \(line 2 of data.py\)"
    ):
        load_config(write('[data]\nfunction = "data.py:load"\n'))
    write("def load(:\n", "broken.py")
    for _ in range(2):  # a module that failed to load is not taken for loaded
        with pytest.raises(InvalidConfigError, match=r"not valid Python: .*broken.py, line 1"):
            load_config(write('[data]\nfunction = "broken.py:load"\n'))


def test_columns_of_the_file_are_groups_and_weights(write, tmp_path):
    frame = pd.DataFrame(
        {
            "a": np.arange(60.0),
            "b": np.ones(60),
            "patient": np.arange(60) // 5,
            "weight": 1 + np.arange(60) / 64,
            "label": np.arange(60) % 2,
        }
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    data = '[data]\nfile = "table.csv"\ntarget = "label"\n'
    config = load_config(write(f'{data}groups = "patient"\nsample_weight = "weight"\n'))
    assert np.shape(config.objective.X) == (60, 2)
    np.testing.assert_array_equal(config.objective.sample_weight, frame["weight"])
    for fold in config.objective.folds:
        assert not set(frame["patient"][fold.train]) & set(frame["patient"][fold.test])
    with pytest.raises(InvalidConfigError, match=r"line 4: \[data\] groups is 'room'; the columns"):
        load_config(write(f'{data}groups = "room"\n'))
    with pytest.raises(InvalidConfigError, match=r"line 2: \[data\] file needs a target"):
        load_config(write('[data]\nfile = "table.csv"\n'))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(InvalidConfigError, match="gpsearch init"):
        load_config(tmp_path / "none.toml")


def test_what_is_no_configuration_is_refused_with_its_remedy(tmp_path):
    Study.create(tmp_path / "my search.db", space={"x": (0.0, 1.0)}, seed=0)
    for name, told in (
        ("my search.db", r"is a database, such as a study.*`gpsearch show '.*/my search.db'`"),
        ("other file.toml", r"No such file or directory. `gpsearch init > '.*/other file.toml'`"),
        (".", r"Is a directory. A configuration is one file, in TOML.$"),
    ):
        with pytest.raises(InvalidConfigError, match=told):
            load_config(tmp_path / name)


def test_a_file_is_utf_8_with_a_byte_order_mark_or_without(tmp_path):
    path = tmp_path / "search.toml"
    path.write_bytes(GOOD.encode("utf-8-sig"))
    assert Source(path).line_of("search", "n_calls") == 12
    path.write_bytes(GOOD.encode() + b"# caf\xe9\n")
    with pytest.raises(InvalidConfigError, match=r"search.toml, line 18: byte 0xe9 is not UTF-8"):
        load_config(path)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("a,b,label", "{i},1.5,{c},9", "more cells in its rows than names"),
        ("a,b,label", "{i},1.5,{c},", "more cells in its rows than names"),
        ("a,b,label", "7,8,{i},1.5,{c}", "more cells in its rows than names"),
        (",a,label", "{i},1.5,{c}", r"no name for column 1, .*index=False"),
        ("Unnamed: 0,a,label", "{i},1.5,{c}", r"no name for column 1, "),
        ("a,label,", "{i},{c},", "no name for column 3, "),
        ("a;b;label", "{i};1,5;{c}", "separate its cells by ';'. Write it with commas"),
        ("a\tb\tlabel", "{i}\t1.5\t{c}", r"separate its cells by '\\t'"),
    ],
)
def test_columns_that_would_be_taken_for_others_are_refused(write, tmp_path, header, row, message):
    rows = [row.format(i=i, c="ab"[i > 19]) for i in range(40)]
    (tmp_path / "table.csv").write_text("\n".join([header, *rows]))
    with pytest.raises(InvalidConfigError, match=rf"line 2: \[data\] file: table\.csv .*{message}"):
        load_config(write('[data]\nfile = "table.csv"\ntarget = "label"\n'))


def test_a_parquet_file_is_read_like_a_csv_file(write, tmp_path):
    pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    frame = pd.DataFrame(
        {"a": np.arange(60.0), "b": np.ones(60, "float32"), "label": ["no", "yes"] * 30}
    )
    frame.to_parquet(tmp_path / "table.parquet")
    config = load_config(write('[data]\nfile = "table.parquet"\ntarget = "label"\n'))
    assert np.shape(config.objective.X) == (60, 2)
    assert list(config.objective.target.classes) == ["no", "yes"]


def test_every_choice_that_init_offers_can_be_made(write):
    """What stands behind a # is no prose: without it, the file means what the comment says."""
    text = resources.files("gpsearch").joinpath("init.toml").read_text()
    offered = re.sub(r"(?m)^# (\w+ = |\[)", r"\1", text)
    data = offered[offered.index("[data]") : offered.index("[objective]")]
    config = load_config(write(offered.replace(data, '[data]\ndataset = "wine"\n')))
    for name in ("strategy", "n_initial_points", "n_jobs", "racing", "timeout", "stop"):
        assert name in config.search
    assert config.comparison["strategies"] == ["gp", "random", "grid", "tpe"]
    assert config.space.fixed == {"decay": 1e-4}
    assert config.objective.settings.batch_size == 32


@pytest.mark.parametrize(
    ("column", "row", "cell", "message"),
    [
        ("b", 7, np.nan, r"line 10, column 'b' holds nan: "),
        ("b", 7, "oops", r"line 10, column 'b' holds 'oops': "),
        ("b", 0, np.inf, r"line 3, column 'b' holds inf: "),
        ("label", 9, np.nan, r"line 12, column 'label' holds nan: "),
        ("weight", 1, "heavy", r"line 4, column 'weight' holds 'heavy': "),
        ("weight", 1, -2.0, r"line 4, column 'weight' holds -2\.0: "),
        ("patient", 2, np.nan, r"line 5, column 'patient' holds nan: "),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(write, tmp_path, column, row, cell, message):
    """Text and empty cells: file, line and column, also behind a cell of two lines."""
    frame = pd.DataFrame({name: np.arange(60.0) for name in ("a", "b", "patient", "weight")})
    frame["label"] = np.arange(60) % 2
    frame = frame.astype({column: object})
    frame.loc[row, column] = cell
    frame.rename(columns={"a": "a,\nlong"}).to_csv(tmp_path / "table.csv", index=False)
    data = '[data]\nfile = "table.csv"\ntarget = "label"\n'
    columns = 'groups = "patient"\nsample_weight = "weight"\n'
    with pytest.raises(InvalidConfigError, match=rf"line 2: \[data\] file: table.csv, {message}"):
        load_config(write(data + columns))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,label\n", "file, X: X has no rows"),
        ("label\na\nb\n", "file, X: .*X has no columns"),
        ("x,label\n1,a\n2,a\n", "file, y: y holds the single class 'a'"),
        ("x,weight,label\n1,0,a\n2,0,b\n", "file, sample_weight: .*not all zero"),
        ("x,label\n1,ä\n".encode("latin-1"), "file cannot be read: 'utf-8'.*Save it as UTF-8"),
    ],
)
def test_data_that_cannot_be_used_as_a_whole_is_named_with_its_line(write, tmp_path, text, message):
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    weight = 'sample_weight = "weight"\n' if "weight" in message else ""
    with pytest.raises(InvalidConfigError, match=rf"line 3: \[data\] {message}"):
        load_config(write(f'[data]\ntarget = "label"\nfile = "t.csv"\n{weight}'))


def test_the_data_of_a_function_is_named_with_its_line(write, tmp_path):
    (tmp_path / "own.py").write_text("def load():\n    return [[1.0], [2.0]], [None, 1]\n")
    with pytest.raises(InvalidConfigError, match=r"line 2: \[data\] function, y: .*missing values"):
        load_config(write('[data]\nfunction = "own.py:load"\n'))


@pytest.mark.parametrize(
    ("labels", "weights", "read"),
    [
        ([0, 1], "{ 0 = 1.0, 1 = 3.0 }", {0: 1.0, 1: 3.0}),
        ([-1, 2], "{ -1 = 3.0 }", {-1: 3.0}),
        ([0.5, 2.0], '{ "0.5" = 3.0 }', {0.5: 3.0}),
        ([True, False], "{ true = 3.0, False = 2.0 }", {True: 3.0, False: 2.0}),
        (["no", "1"], '{ no = 3.0, "1" = 2.0 }', {"no": 3.0, "1": 2.0}),
    ],
)
def test_weights_of_classes_find_their_labels(write, tmp_path, labels, weights, read):
    """TOML writes each key as a text."""
    (tmp_path / "own.py").write_text(f"def load():\n    return [[1.0]] * 40, {labels} * 20\n")
    text = f'[data]\nfunction = "own.py:load"\n[objective]\nclass_weight = {weights}\n'
    assert load_config(write(text)).objective.class_weight == read


def test_a_function_is_searched_over_a_space_that_is_written(write):
    text = '[data]\ndataset = "iris"\n[objective]\ncreate_model = "os:getcwd"\n'
    with pytest.raises(InvalidConfigError, match=r"space is missing: write a table \[space\]"):
        load_config(write(text))


def test_a_column_has_one_type_in_all_rows_of_a_large_file(write, tmp_path):
    n = 300_000  # pandas infers the type of each part of so many
    label = np.where(np.arange(n) < n - 9, "1", "b")
    pd.DataFrame({"x": np.zeros(n), "label": label}).to_csv(tmp_path / "t.csv", index=False)
    config = load_config(write('[data]\nfile = "t.csv"\ntarget = "label"\n'))
    assert config.objective.target.classes.tolist() == ["1", "b"]


def test_a_cell_that_auto_can_use_is_not_blamed(write, tmp_path):
    frame = pd.DataFrame({"city": ["Bonn"] * 60, "age": np.arange(60.0), "label": [0, 1] * 30})
    frame.loc[2, "age"], frame.loc[5, "age"] = np.nan, np.inf
    frame.to_csv(tmp_path / "table.csv", index=False)
    text = '[data]\nfile = "table.csv"\ntarget = "label"\n[objective]\npreprocess = "auto"\n'
    with pytest.raises(InvalidConfigError, match=r"line 7, column 'age' holds inf: "):
        load_config(write(text))
    frame.assign(age=pd.date_range("2020", periods=60)).to_parquet(tmp_path / "table.parquet")
    message = r"line 2: \[data\] file, X: column 'age' holds values of the kind datetime"
    with pytest.raises(InvalidConfigError, match=message):
        load_config(write(text.replace("csv", "parquet")))


@pytest.mark.parametrize("text", ["raise SystemExit('bye')", "def load():\n    exit(3)"])
def test_a_module_that_ends_the_program_ends_only_itself(write, text):
    write(f"from sys import exit\n{text}\n", "leaves.py")
    with pytest.raises(InvalidConfigError, match=r"line 2: .*ended the program with SystemExit"):
        load_config(write('[data]\nfunction = "leaves.py:load"\n'))


@pytest.mark.parametrize("table", ["search", "compare"])
def test_a_text_is_no_boolean(write, tmp_path, table):
    for key, value in (("isolate", "yes"), ("progress", "no")):
        config = load_config(
            write(f'[data]\ndataset = "breast_cancer"\n[{table}]\n{key} = "{value}"\n')
        )
        call = config.run if table == "search" else config.compare
        with pytest.raises(GPSearchError, match=rf"{key} = '{value}': must be true or false"):
            call(study=tmp_path / "a.db", n_calls=3)
