"""Plots of error rates, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from susracker.benchmark.identification import Identification
from susracker.benchmark.metrics import fnir, fpir, roc
from susracker.benchmark.run import Result

SIZE = (5.2, 4.0)
"""Inches."""

LEAST_RATE = 1e-4
"""A rate of 0 is drawn here: an axis with a logarithmic scale has no 0."""


def roc_plot(results: Sequence[Result]) -> str:
    """1:1: true accept rate by false accept rate."""
    figure, axes = _figure("false accept rate", "true accept rate", "1:1 (ROC)")
    for result in results:
        if result.comparisons:
            comparisons = result.comparisons
            far, tar, _ = roc(comparisons.genuine, comparisons.impostors)
            axes.step(np.maximum(far, LEAST_RATE), tar, where="post", label=result.encoder)
    axes.set_xscale("log")
    axes.set_ylim(0.8, 1.002)
    return _svg(figure, axes)


def det_plot(results: Sequence[Result]) -> str:
    """1:N: FNIR by FPIR, with a dot at each rule's own threshold."""
    figure, axes = _figure("FPIR (false alerts)", "FNIR (misses)", "1:N (DET)")
    for result in results:
        for one in result.identifications:
            trial = one.trials[0]
            thresholds = np.unique(trial.non_mated_scores)[::-1]
            rates = [fpir(trial.non_mated_scores, threshold) for threshold in thresholds]
            misses = [
                fnir(trial.correct, trial.mated_scores, threshold) for threshold in thresholds
            ]
            shown = np.maximum([rates, misses], LEAST_RATE)
            (line,) = axes.step(*shown, where="post", label=name_of(result, one))
            realised = np.maximum([one.realised_fpir(), one.realised_fnir()], LEAST_RATE)
            axes.plot(*realised, "o", color=line.get_color())
    axes.set_xscale("log")
    axes.set_yscale("log")
    return _svg(figure, axes)


def score_plot(one: Identification) -> str:
    """1:N: scores of mated and of non-mated searches."""
    trial = one.trials[0]
    figure, axes = _figure("score of the first candidate", "share of searches", "scores")
    searches = {"non-mated": trial.non_mated_scores, "mated": trial.mated_scores}
    everything = np.concatenate(list(searches.values()))
    bins = np.linspace(everything.min(), everything.max(), 60).tolist()
    for label, scores in searches.items():
        weights = np.full(len(scores), 1 / len(scores))
        axes.hist(scores, bins=bins, weights=weights, alpha=0.6, label=label)
    if np.isfinite(trial.threshold):
        axes.axvline(trial.threshold, color="black", linestyle=":", label="threshold")
    return _svg(figure, axes)


def name_of(result: Result, one: Identification) -> str:
    """A name that distinguishes an experiment from the others."""
    photos = f"{one.photos_each} photo" + ("s" if one.photos_each > 1 else "")
    frames = f", {one.frames} searched with" if one.frames > 1 else ""
    return f"{result.encoder}, {one.rule}, {one.listed} enrolled, {photos}{frames}"


def _figure(across: str, up: str, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    return figure, axes


def _svg(figure: Figure, axes: Axes) -> str:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().partition("<svg")[1] + buffer.getvalue().partition("<svg")[2]
