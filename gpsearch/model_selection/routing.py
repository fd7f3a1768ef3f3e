"""Where the arguments of ``fit`` and ``score`` go: estimator, splitter or scorer."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import sklearn
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing


def route(search: Any, scorer: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``search.fit`` as those of `EstimatorCV`: as requested, or as usual."""
    if routing_enabled():
        routed = process_routing(search, "fit", **params)
        fit, split, score = routed.estimator.fit, routed.splitter.split, routed.scorer.score
    else:
        fit = {name: value for name, value in params.items() if name != "groups"}
        split, score = {"groups": params.get("groups")}, {}
        if params.get("sample_weight") is not None and _weighs(search, scorer):
            score["sample_weight"] = params["sample_weight"]
    return {"fit_params": fit, "split_params": split, "score_params": score}


def score_arguments(search: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Route the arguments of ``search.score`` to the scorer."""
    if routing_enabled():
        return dict(process_routing(search, "score", **params).scorer["score"])
    if params:
        raise ValueError(
            f"[{', '.join(map(repr, params))}] were passed to GPSearchCV.score: Passing extra "
            "keyword arguments to GPSearchCV.score is only supported if "
            "enable_metadata_routing=True, which you can set using "
            "`sklearn.set_config(enable_metadata_routing=True)`."
        )
    return {}


def router(search: Any, scorer: Any) -> MetadataRouter:
    """The router of a search: ``fit`` reaches estimator, scorer and splitter."""
    made = MetadataRouter(owner=search)
    if hasattr(search.estimator, "fit"):
        made.add(
            estimator=search.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )
    scored = MethodMapping().add(caller="score", callee="score").add(caller="fit", callee="score")
    made.add(scorer=scorer, method_mapping=scored)
    split = MethodMapping().add(caller="fit", callee="split")
    return made.add(splitter=search.cv, method_mapping=split)


def routing_enabled() -> bool:
    """Whether scikit-learn's metadata routing is on."""
    return bool(sklearn.get_config().get("enable_metadata_routing", False))


def _weighs(search: Any, scorer: Any) -> bool:
    """Whether any scorer takes weights; a warning names those that do not."""
    several = getattr(scorer, "_scorers", {"": scorer})
    takes_weights = {name: _takes_weights(one) for name, one in several.items()}
    for name, takes in takes_weights.items():
        if not takes:
            label = f"{name}={several[name]}" if name else f"{several[name]}"
            warnings.warn(
                f"The scoring {label} does not support sample_weight, which may lead to "
                f"statistically incorrect results when fitting {search} with sample_weight.",
                UserWarning,
                stacklevel=4,
            )
    return any(takes_weights.values())


def _takes_weights(scorer: Any) -> bool:
    accepts = getattr(scorer, "_accept_sample_weight", None)
    if accepts is not None:
        return bool(accepts())
    return "sample_weight" in inspect.signature(scorer).parameters
