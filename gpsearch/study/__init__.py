"""The record of a search: one SQLite file that survives the death of its writer.

`Study` reads, `StudyWriter` writes, `Trial` is what they hold; `sqlite` alone knows tables, `lock`
keeps writers apart, `encoding` turns params to JSON and back, `info` refuses to continue
another search. A study holds values only, never code: opening one runs nothing.
"""

from gpsearch.study.study import Study, part_of, require_study
from gpsearch.study.trial import Trial, TrialState
from gpsearch.study.writer import StudyWriter

__all__ = ["Study", "StudyWriter", "Trial", "TrialState", "part_of", "require_study"]
