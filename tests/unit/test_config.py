import numpy as np
import pytest

from gpsearch.config import load_config
from gpsearch.errors import GPSearchError, InvalidConfigError

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


def test_a_function_can_load_the_data(write):
    write(
        "import numpy as np\ndef load():\n    return np.eye(60), np.arange(60) % 2\n", "my_data.py"
    )
    config = load_config(write('[data]\nfunction = "my_data.py:load"\n'))
    np.testing.assert_array_equal(np.asarray(config.objective.X), np.eye(60))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n_calls = 7", "n_cals = 7", r"line 12: \[search\] n_cals is not known.*'n_calls'"),
        ("cv = 3", "folds = 3", r"line 8: \[objective\] folds is not known"),
        ("[space]", "[spaces]", r"line 14: spaces is not known; did you mean 'space'"),
        ('dataset = "iris"', 'dataset = "irises"', r"line 5: \[data\] dataset is 'irises'"),
        ('dataset = "iris"', "", r"line 4: \[data\] needs exactly one of"),
        ('dataset = "iris"', 'file = "no.csv"', r"line 5: \[data\] file cannot be read"),
        ('dataset = "iris"', 'file = "no.xls"', r"must be a \.csv or \.parquet"),
        ('dataset = "iris"', 'function = "nope"', "module:name"),
        ('dataset = "iris"', 'function = "no.py:load"', "cannot be loaded: there is no file"),
        ('dataset = "iris"', 'function = "json:__doc__"', "not a function"),
        ("low = 1e-4", "low = 2.0", r"line 15: \[space\] learning_rate .*bounds 2.0 and 1.0"),
        ('"adam", "sgd"]', '"adam", "adam"]', r"line 16: \[space\] opt .*occur once"),
        ('["sgd"] }', '["sdg"] }', "condition on 'momentum'"),
        ("cv = 3", "cv = ", "not valid TOML.*line 8"),
        ("cv = 3", "cv = 1", "cv"),
        ('"accuracy"', '"acuracy"', "acuracy"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(write, old, new, message):
    assert old in GOOD
    with pytest.raises(GPSearchError, match=message):
        load_config(write(GOOD.replace(old, new)))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(InvalidConfigError, match="gpsearch init"):
        load_config(tmp_path / "none.toml")
