"""Curves of what a proposal costs, and the powers by which they grow."""

from pathlib import Path

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def test_tables_tell_the_powers_of_the_trials_and_of_the_dimensions(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import overhead

    kept = {
        f"{name} n={n} d={d}": {"proposal": max(1e-2, 1e-6 * n**2) * d, "peak_mib": n + d}
        for name, n, d in [
            ("optuna-gp", 100, 8),
            *(("gpsearch", n, d) for d in (8, 2) for n in (1000, 10, 100)),
        ]
    }
    seconds, powers = overhead.tables(kept)
    assert seconds["columns"][2:5] == ["10", "100", "1,000"]
    assert seconds["rows"] == [
        ["gpsearch", "2", "0.02", "0.02", "2", "2.00", "1002"],
        ["gpsearch", "8", "0.08", "0.08", "8", "2.00", "1008"],
        ["Optuna, GP sampler", "8", "", "0.08", "", "", "108"],
    ]
    assert powers["rows"] == [["gpsearch", "1.00", "1.00"], ["Optuna, GP sampler", "", ""]]
