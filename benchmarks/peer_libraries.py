"""The peers: each library in the shape of `peer_shape`, as it comes, imported when it is made."""

from __future__ import annotations

import math
import tempfile
from typing import Any

import numpy as np
from peer_shape import Dimension, Peer

FIRST = 10  # points of BoTorch before its first model, as of Optuna and scikit-optimize


class ScikitOptimize(Peer):
    """``skopt.Optimizer`` as ``skopt.gp_minimize`` sets it up."""

    package = "scikit-optimize"
    takes_failures = False

    def start(self) -> None:
        from skopt import Optimizer
        from skopt.space import Categorical, Integer, Real
        from skopt.utils import cook_estimator, normalize_dimensions

        rng = np.random.RandomState(self.seed)
        space = normalize_dimensions(
            [
                Categorical(d.codes)
                if d.categories
                else (Integer if d.integer else Real)(
                    d.low, d.high, prior="log-uniform" if d.log else "uniform"
                )
                for d in self.dimensions
            ]
        )
        estimator = cook_estimator(
            "GP", space=space, random_state=rng.randint(0, np.iinfo(np.int32).max), noise="gaussian"
        )
        self.optimizer = Optimizer(
            space,
            estimator,
            n_initial_points=10,
            acq_func="gp_hedge",
            random_state=rng,
            acq_optimizer_kwargs={"n_points": 10_000, "n_restarts_optimizer": 5, "n_jobs": 1},
        )

    def ask(self) -> dict:
        return dict(zip((d.name for d in self.dimensions), self.optimizer.ask(), strict=True))

    def tell_all(self, values: list[dict], losses: list[float]) -> None:
        self.optimizer.tell([list(one.values()) for one in values], losses)


class Optuna(Peer):
    """Optuna's TPE as it comes."""

    package = "optuna"
    sampler = "TPESampler"

    def start(self) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.study = optuna.create_study(
            sampler=getattr(optuna.samplers, self.sampler)(seed=self.seed)
        )
        kinds = optuna.distributions
        self.kinds = {
            d.name: kinds.CategoricalDistribution(d.codes)
            if d.categories
            else (kinds.IntDistribution if d.integer else kinds.FloatDistribution)(
                d.low, d.high, log=d.log
            )
            for d in self.dimensions
        }
        self.create, self.states = optuna.trial.create_trial, optuna.trial.TrialState

    def ask(self) -> dict:
        self.trial = self.study.ask(self.kinds)
        return self.trial.params

    def tell(self, values: dict, loss: float) -> None:
        ended = (
            {"state": self.states.COMPLETE} if math.isfinite(loss) else {"state": self.states.FAIL}
        )
        value = loss if math.isfinite(loss) else None
        if self.trial:
            self.study.tell(self.trial, value, **ended)
        else:
            self.study.add_trial(
                self.create(params=values, distributions=self.kinds, value=value, **ended)
            )


class OptunaGP(Optuna):
    """Optuna's Gaussian process as it comes."""

    sampler = "GPSampler"


class Hyperopt(Peer):
    """Hyperopt's TPE as it comes."""

    package = "hyperopt"

    def start(self) -> None:
        from hyperopt import Trials, hp
        from hyperopt.base import Domain

        self.domain = Domain(None, {d.name: self.node(hp, d) for d in self.dimensions})
        self.trials, self.rng = Trials(), np.random.default_rng(self.seed)

    def node(self, hp: Any, d: Dimension) -> Any:
        if d.categories:
            return hp.choice(d.name, d.codes)
        ends = [math.log(d.low), math.log(d.high)] if d.log else [d.low, d.high]
        if not d.integer:
            return (hp.loguniform if d.log else hp.uniform)(d.name, *ends)
        return hp.qloguniform(d.name, *ends, 1) if d.log else hp.uniformint(d.name, *ends)

    def ask(self) -> dict:
        from hyperopt import tpe

        ids = self.trials.new_trial_ids(1)
        self.trials.refresh()
        (self.trial,) = tpe.suggest(ids, self.domain, self.trials, int(self.rng.integers(2**31)))
        return {name: found[0] for name, found in self.trial["misc"]["vals"].items()}

    def tell(self, values: dict, loss: float) -> None:
        from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK

        trial = self.trial
        if trial is None:
            ids = self.trials.new_trial_ids(1)
            vals = {d.name: [self.number(d, values[d.name])] for d in self.dimensions}
            misc = {
                "tid": ids[0],
                "cmd": self.domain.cmd,
                "idxs": {name: ids for name in vals},
                "vals": vals,
            }
            (trial,) = self.trials.new_trial_docs(ids, [None], [{}], [misc])
        ok = math.isfinite(loss)
        trial["state"] = JOB_STATE_DONE
        trial["result"] = {"status": STATUS_OK, "loss": loss} if ok else {"status": STATUS_FAIL}
        self.trials.insert_trial_doc(trial)
        self.trials.refresh()

    @staticmethod
    def number(d: Dimension, value: Any) -> Any:
        return int(value) if d.categories else value


class Hebo(Peer):
    """HEBO as it comes; it leaves failures out."""

    package = "HEBO"

    def start(self) -> None:
        import pandas
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        np.random.seed(self.seed)  # noqa: NPY002 - HEBO draws from it
        torch.manual_seed(self.seed)
        self.frame = pandas.DataFrame
        space = DesignSpace().parse([self.parameter(d) for d in self.dimensions])
        self.optimizer = HEBO(space, scramble_seed=self.seed)

    def parameter(self, d: Dimension) -> dict:
        if d.categories:
            return {"name": d.name, "type": "cat", "categories": d.codes}
        kind = ("pow_int" if d.log else "int") if d.integer else ("pow" if d.log else "num")
        return {"name": d.name, "type": kind, "lb": d.low, "ub": d.high}

    def ask(self) -> dict:
        return self.optimizer.suggest(n_suggestions=1).iloc[0].to_dict()

    def tell_all(self, values: list[dict], losses: list[float]) -> None:
        self.optimizer.observe(self.frame(values), np.array(losses)[:, None])


class Smac(Peer):
    """SMAC's facade for hyperparameters as it comes, told its budget."""

    package = "smac"
    takes_failures = False

    def start(self) -> None:
        import ConfigSpace as space  # noqa: N813 - for short
        from smac import HyperparameterOptimizationFacade, Scenario

        self.space = space.ConfigurationSpace(seed=self.seed)
        for d in self.dimensions:
            if d.categories:
                self.space.add(space.Categorical(d.name, d.codes))
            else:
                kind = space.Integer if d.integer else space.Float
                self.space.add(kind(d.name, (d.low, d.high), log=d.log))
        scenario = Scenario(
            self.space,
            deterministic=True,
            n_trials=self.budget,
            seed=self.seed,
            output_directory=tempfile.mkdtemp(),
        )
        self.optimizer = HyperparameterOptimizationFacade(
            scenario, lambda config, seed: math.nan, logging_level=False, overwrite=True
        )
        self.open: dict[tuple, Any] = {}  # it waits for each; a failure may be told late

    def ask(self) -> dict:
        trial = self.optimizer.ask()
        self.open[self.key(dict(trial.config))] = trial
        return dict(trial.config)

    def tell(self, values: dict, loss: float) -> None:
        from ConfigSpace import Configuration
        from smac.runhistory import TrialInfo, TrialValue

        trial = self.open.pop(self.key(values), None)
        config = trial.config if trial else Configuration(self.space, values=values)
        self.optimizer.tell(trial or TrialInfo(config, seed=0), TrialValue(cost=loss))

    def key(self, values: dict) -> tuple:
        return tuple(values[d.name] for d in self.dimensions)


class Ax(Peer):
    """Ax with the strategy that it chooses."""

    package = "ax-platform"

    def start(self) -> None:
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        self.client = Client(random_seed=self.seed)
        self.client.configure_experiment(
            [
                ChoiceParameterConfig(
                    name=d.name, values=d.codes, parameter_type="str", is_ordered=False
                )
                if d.categories
                else RangeParameterConfig(
                    name=d.name,
                    bounds=(d.low, d.high),
                    parameter_type="int" if d.integer else "float",
                    scaling="log" if d.log else "linear",
                )
                for d in self.dimensions
            ]
        )
        self.client.configure_optimization(objective="-loss")

    def ask(self) -> dict:
        ((self.trial, values),) = self.client.get_next_trials(max_trials=1).items()
        return dict(values)

    def tell(self, values: dict, loss: float) -> None:
        trial = self.client.attach_trial(values) if self.trial is None else self.trial
        if math.isfinite(loss):
            self.client.complete_trial(trial, raw_data={"loss": loss})
        else:
            self.client.mark_trial_failed(trial)


class BoTorch(Peer):
    """BoTorch's qLogNEI on its mixed model, after Sobol points."""

    package = "botorch"
    takes_failures = False

    def start(self) -> None:
        import torch

        torch.manual_seed(self.seed)
        self.points: list[list[float]] = []
        self.losses: list[float] = []
        self.sobol = torch.quasirandom.SobolEngine(
            len(self.dimensions), scramble=True, seed=self.seed
        )
        self.levels = {
            i: [float(c) for c in d.codes]
            if d.categories
            else [d.to_unit(v) for v in range(round(d.low), round(d.high) + 1)]
            for i, d in enumerate(self.dimensions)
            if d.categories or d.integer
        }

    def ask(self) -> dict:
        x = self.best() if len(self.points) >= FIRST else self.first()
        return {
            d.name: str(round(u)) if d.categories else d.from_unit(u)
            for d, u in zip(self.dimensions, x, strict=True)
        }

    def first(self) -> list[float]:
        u = self.sobol.draw(1)[0].tolist()
        return [
            v[min(int(u[i] * len(v)), len(v) - 1)] if (v := self.levels.get(i)) else u[i]
            for i in range(len(u))
        ]

    def best(self) -> list[float]:
        import torch
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import MixedSingleTaskGP, SingleTaskGP
        from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating
        from gpytorch.mlls import ExactMarginalLogLikelihood

        X = torch.tensor(self.points, dtype=torch.double)
        Y = -torch.tensor(self.losses, dtype=torch.double)[:, None]
        named = {i for i, d in enumerate(self.dimensions) if d.categories}
        model = MixedSingleTaskGP(X, Y, cat_dims=sorted(named)) if named else SingleTaskGP(X, Y)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        tops = [len(d.categories) - 1 if d.categories else 1 for d in self.dimensions]
        x, _ = optimize_acqf_mixed_alternating(
            qLogNoisyExpectedImprovement(model, X, prune_baseline=True),
            torch.tensor([[0.0] * len(tops), tops], dtype=torch.double),
            discrete_dims={i: v for i, v in self.levels.items() if i not in named},
            cat_dims={i: v for i, v in self.levels.items() if i in named},
            num_restarts=10,
            raw_samples=512,
        )
        return x[0].tolist()

    def tell(self, values: dict, loss: float) -> None:
        self.points.append(
            [
                float(values[d.name]) if d.categories else d.to_unit(values[d.name])
                for d in self.dimensions
            ]
        )
        self.losses.append(loss)


class KerasTuner(Peer):
    """KerasTuner's Bayesian optimisation as it comes."""

    package = "keras-tuner"

    def start(self) -> None:
        import keras_tuner

        settings = keras_tuner.HyperParameters()
        for d in self.dimensions:
            if d.categories:
                settings.Choice(d.name, d.codes)
            else:
                kind = settings.Int if d.integer else settings.Float
                kind(d.name, d.low, d.high, sampling="log" if d.log else "linear")
        self.oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=keras_tuner.Objective("loss", "min"),
            max_trials=1_000_000,
            max_consecutive_failed_trials=1_000_000,
            seed=self.seed,
            hyperparameters=settings,
        )
        self.oracle._set_project_dir(tempfile.mkdtemp(), "search")

    def ask(self) -> dict:
        self.trial = self.oracle.create_trial("tuner")
        return dict(self.trial.hyperparameters.values)

    def tell(self, values: dict, loss: float) -> None:
        from keras_tuner.engine.trial import Trial

        ok = math.isfinite(loss)
        status = "COMPLETED" if ok else "INVALID"
        if self.trial is None:
            settings = self.oracle.get_space()
            settings.values = dict(values)
            told = Trial(settings, status=status)
            told.score = loss if ok else None
            self.oracle.trials[told.trial_id] = told
            return
        if ok:
            self.oracle.update_trial(self.trial.trial_id, {"loss": loss})
        self.trial.status = status
        self.oracle.end_trial(self.trial)


PEERS: dict[str, type[Peer]] = {
    "ax": Ax,
    "botorch": BoTorch,
    "hebo": Hebo,
    "hyperopt": Hyperopt,
    "keras-tuner": KerasTuner,
    "optuna-gp": OptunaGP,
    "optuna-tpe": Optuna,
    "scikit-optimize": ScikitOptimize,
    "smac": Smac,
}
