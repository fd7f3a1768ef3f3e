"""The record of a search: one SQLite file that survives the death of its writer.

`Study` is what people hold and `Trial` what they read; `sqlite` alone knows tables, `lock`
keeps writers apart, `encoding` turns params to JSON and back, `info` refuses to continue
another search. A study holds values only, never code: opening one runs nothing.
"""

from gpsearch.study.study import Study
from gpsearch.study.trial import Trial, TrialState

__all__ = ["Study", "Trial", "TrialState"]
