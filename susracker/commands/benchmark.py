"""`susracker benchmark`."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.calibration import calibrate, searches_needed
from susracker.benchmark.datasets import PAIRS_FILE, Dataset, read_dataset, read_pairs
from susracker.benchmark.embedding import Crops
from susracker.benchmark.kept import keep
from susracker.benchmark.labels import Labels, read_labels
from susracker.benchmark.records import result_record
from susracker.benchmark.report import in_plain_words, write_report
from susracker.benchmark.rules import AS_NORM, distance_limit
from susracker.benchmark.run import Bench, Plan, Result, known_share
from susracker.benchmark.tables import groups_table, identification_table, verification_table
from susracker.commands.auditing import unaudited
from susracker.commands.benchmark_reviews import measure_reviews, refuse_others, write_shift
from susracker.commands.options import LoadedSettings, settings_options
from susracker.commands.progress import steps
from susracker.commands.shown import print_table
from susracker.config import Settings
from susracker.errors import InputError
from susracker.plugins import backend_names, open_detector, open_encoder
from susracker.runtime.threads import one_core_a_thread
from susracker.watchlist.scoring import load_scoring

MAX_ENROLLED = 10_000
"""Virtual people are mixed from 8,000: many more of them would be too much alike."""


@click.command("benchmark")
@click.argument("dataset", type=click.Path(path_type=Path), required=False)
@click.option(
    "--pairs",
    "pairs_file",
    type=click.Path(path_type=Path),
    help="1:1 comparisons, in LFW's format.  [default: pairs.txt in the dataset, if it exists]",
)
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    help="Encoder to measure. Can be repeated.  [default: the setting `encoder`]",
)
@click.option(
    "--photos-each",
    type=click.IntRange(1),
    multiple=True,
    default=(1,),
    show_default=True,
    help="Enrol people with this many photos; at least one is held back. Can be repeated.",
)
@click.option(
    "--enrolled",
    type=click.IntRange(1, MAX_ENROLLED),
    multiple=True,
    help="Enrol this many people, drawn at random; by default everyone with several photos. If "
    "there are fewer, virtual people make the watch-list longer. Can be repeated.",
)
@click.option(
    "--min-photos",
    type=click.IntRange(2),
    default=2,
    show_default=True,
    help="Enrol only people with at least this many photos.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    multiple=True,
    default=(1,),
    show_default=True,
    help="Search with this many photos of a person, fused, as in a passage. Can be repeated.",
)
@click.option(
    "--fpir",
    "fpirs",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    multiple=True,
    default=(0.1, 0.01, 0.001),
    show_default=True,
    help="Show the FNIR at this FPIR. Can be repeated.",
)
@click.option(
    "--crops",
    type=click.Choice(typing.get_args(Crops)),
    default="none",
    show_default=True,
    help="First cut out the faces that are searched for, as an edge camera does: tight, or with a "
    "margin of a fifth.",
)
@click.option(
    "--crops-enrolled",
    is_flag=True,
    help="With --crops: also cut out the faces that are enrolled.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    default=(AS_NORM,),
    show_default=True,
    help="How to decide: as-norm, susracker's own rule, or distance-N, such as dlib's usual "
    "distance-0.6. Can be repeated.",
)
@click.option(
    "--cross-fit",
    is_flag=True,
    help="Fit cohort and threshold to half of the people who are not enrolled and test on the "
    "others, instead of using those that come with susracker: for photos that these were fitted "
    "to.",
)
@click.option(
    "--limit", type=click.IntRange(1), help="Take only this many people from the dataset."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random draws.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="File to write the results to."
)
@click.option(
    "--report",
    "report_folder",
    type=click.Path(path_type=Path),
    help="Folder to write report.html to.",
)
@click.option(
    "--labels",
    "labels_file",
    type=click.Path(path_type=Path),
    help="CSV with a column person or photo and columns of groups: shows errors by group.",
)
@click.option(
    "--apply",
    "apply_shift",
    is_flag=True,
    help="Set threshold_shift in the settings file to the value that fits these photos.",
)
@click.option(
    "--force",
    is_flag=True,
    help="With --apply: also from too few people, or from photos that the threshold was fitted to.",
)
@click.option(
    "--keep",
    "keep_it",
    is_flag=True,
    help="Keep the main figures, with the date, for Numbers on the operators' page.",
)
@click.option(
    "--from-reviews",
    is_flag=True,
    help="Measure the threshold on the alerts that people dismissed and confirmed, instead of on "
    "photos.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="With --from-reviews: only what arrived on this day or later, in UTC, such as 2026-06-01: "
    "the day when the threshold was changed last.",
)
@settings_options("store", "detector", "matcher", "target_fpir", "workers", "benchmark_file")
@unaudited("shows no person of the store")
def command(
    loaded: LoadedSettings,
    dataset: Path | None,
    pairs_file: Path | None,
    encoders: tuple[str, ...],
    enrolled: tuple[int, ...],
    limit: int | None,
    json_file: Path | None,
    report_folder: Path | None,
    labels_file: Path | None,
    apply_shift: bool,
    force: bool,
    keep_it: bool,
    from_reviews: bool,
    since: datetime | None,
    **plan: Any,
) -> None:
    """Measure how well recognition works on a folder of photos.

    DATASET has one folder of photos for each person. 1:1: the pairs of pairs.txt are compared.
    1:N: people with several photos are enrolled with the first, in order of file names, and
    searched for with the rest (mated searches). People with one photo are not enrolled, and should
    match nobody (non-mated searches). With --frames N, N photos of a person make one search, fused
    as in a passage; everyone with as many photos is also searched for while they are left out of
    the watch-list, which makes one more non-mated search.

    If there are folders of frames, DATASET/PERSON/PASS/FRAME.jpg, one for each time that a person
    passed by a camera, only these are searched with: --frames of each, as far apart as they can be.
    People who have passes and photos are enrolled with the photos.

    FPIR is the share of non-mated searches that raise an alert, FNIR the share of mated searches
    that miss the person. "Realised" rates are those at the product's own threshold, chosen for
    --target-fpir without seeing these photos. Embeddings are kept in the cache directory: a second
    run takes seconds.

    With --from-reviews there is no DATASET: the dismissed alerts of --store are the searches for
    people who are not enrolled. The false alert rate at the present threshold is shown with its 95%
    interval, and, if it is above the promise, a threshold_shift that would have kept it.

    \b
    Examples:
      susracker benchmark people/
      susracker benchmark people/ --rule as-norm --rule distance-0.6
      susracker benchmark people/ --photos-each 1 --photos-each 3 --crops tight
      susracker benchmark people/ --frames 1 --frames 3 --fpir 0.01 --fpir 0.003
      susracker benchmark people/ --enrolled 1000 --enrolled 10000
      susracker benchmark people/ --json result.json --report report/
      susracker benchmark people/ --labels groups.csv
      susracker benchmark people/ --apply             fit the threshold to your own photos
      susracker benchmark people/ --keep              show the figures to operators
      susracker benchmark --from-reviews              what operators' reviews say about it
      susracker benchmark --from-reviews --since 2026-06-01 --apply
    """
    settings = loaded.settings
    ctx = click.get_current_context()
    if from_reviews:
        refuse_others(ctx)
        _from_reviews(settings, since, json_file, ctx.find_root().obj, apply_shift=apply_shift)
        return
    if dataset is None or since:
        raise InputError("name a DATASET, or measure --from-reviews, which --since goes with")
    names = encoders or (settings.encoder,)
    made = Plan(
        detector=settings.detector,
        matcher=settings.matcher,
        target_fpir=settings.target_fpir,
        threshold_shift=settings.threshold_shift,
        enrolled=enrolled or (None,),
        **plan,
    )
    _check(names, made, apply_shift=apply_shift)
    data = read_dataset(dataset, limit, made.seed)
    if apply_shift and not force:
        _refuse_known(data, names[0])
    labels = read_labels(labels_file, data) if labels_file else None
    one_core_a_thread()
    results = _run(data, pairs_file, made, names, settings.workers)
    records = [result_record(result, labels) for result in results]
    for result, record in zip(results, records, strict=True):
        _show(result, record, labels)
    if json_file:
        _write_json(json_file, records[0] if len(records) == 1 else records)
    if report_folder:
        click.echo(f"report: {write_report(report_folder, results, records)}")
    if keep_it:
        keep(Path(settings.benchmark_file), records[0], made, datetime.now(timezone.utc))
        click.echo(f"kept for the operators' page: {settings.benchmark_file}")
    if apply_shift:
        _apply(results[0], made, ctx.find_root().obj, force=force)


def _check(encoders: Sequence[str], plan: Plan, *, apply_shift: bool) -> None:
    """Find wrong options before a long run, not after it."""
    if plan.crops_enrolled and plan.crops == "none":
        raise InputError("--crops-enrolled goes with --crops tight or --crops margin")
    open_detector(plan.detector)
    for rule in plan.rules:
        if rule != AS_NORM:
            distance_limit(rule)
    for encoder in encoders:
        load_scoring(open_encoder(encoder).id)
    if apply_shift and (plan.cross_fit or AS_NORM not in plan.rules):
        raise InputError(
            f"--apply needs the rule {AS_NORM}, and cannot be combined with --cross-fit"
        )
    if plan.matcher not in backend_names("matchers"):
        valid = ", ".join(backend_names("matchers"))
        raise InputError(f"no matcher is called {plan.matcher!r}; there are: {valid}")


def _refuse_known(data: Dataset, encoder: str) -> None:
    if known := known_share(data, open_encoder(encoder).id):
        raise InputError(
            f"{known}: a threshold that fits them lets too many strangers pass; use photos of your"
            " own (or --force)"
        )


def _run(
    data: Dataset, pairs_file: Path | None, plan: Plan, encoders: Sequence[str], workers: int
) -> list[Result]:
    file = pairs_file or data.folder / PAIRS_FILE
    pairs = read_pairs(file, data) if pairs_file or file.is_file() else None
    with closing(EmbeddingCache()) as kept, steps() as on_step:
        bench = Bench(data, pairs, plan, kept, on_step)
        return [bench.run(encoder, workers) for encoder in encoders]


def _show(result: Result, record: Mapping[str, Any], labels: Labels | None) -> None:
    click.echo(
        f"{result.dataset.folder}, {result.encoder}: {record['photos']:,} photos of"
        f" {record['people']:,} people; no face found in {record['faces_not_found']:,},"
        f" {record['failure_to_enrol']:.1%} refused at enrolment"
    )
    stages = ", ".join(
        f"{stage} {1000 * seconds:.1f}" for stage, seconds in record["seconds_per_face"].items()
    )
    click.echo(f"milliseconds per face on one core: {stages}")
    for photo, why in record["unreadable"].items():
        click.echo(f"cannot read {photo}: {why}", err=True)
    for note in record["notes"]:
        click.echo(note, err=True)
    if labels and labels.unknown:
        click.echo(f"labels that are not in the dataset: {len(labels.unknown)}", err=True)
    if record["verification"]:
        print_table(verification_table(record["verification"]))
    if record["identification"]:
        print_table(identification_table(record["identification"]))
        for one in result.identifications:
            click.echo(in_plain_words(one))
    for one in record["identification"]:
        if "groups" in one:
            print_table(groups_table(one))


def _from_reviews(
    settings: Settings,
    since: datetime | None,
    json_file: Path | None,
    file: Path | None,
    *,
    apply_shift: bool,
) -> None:
    record, proposal = measure_reviews(settings, since.date() if since else None)
    if json_file:
        _write_json(json_file, record)
    if apply_shift:
        if proposal is None:
            raise InputError("there is nothing to apply: no threshold_shift is proposed")
        write_shift(proposal.shift, f"{record['dismissed']:,} dismissed alerts", file)


def _write_json(file: Path, written: object) -> None:
    try:
        file.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the results to {file}: {error}") from error


def _apply(result: Result, plan: Plan, file: Path | None, *, force: bool) -> None:
    measured = [one for one in result.identifications if one.rule == AS_NORM]
    if not measured:
        raise InputError("there is nothing to apply: 1:N could not be measured")
    largest = max(measured, key=lambda one: one.enrolled)
    scoring = load_scoring(open_encoder(result.encoder).id)
    found = calibrate(largest.search, result.embedded, scoring, plan.matcher, plan.target_fpir)
    needed = searches_needed(plan.target_fpir)
    if found.non_mated < needed and not force:
        raise InputError(
            f"{found.non_mated:,} people with one photo are too few to measure an FPIR of"
            f" {plan.target_fpir:.2%}: it takes {needed:,}; nothing was changed. --force sets the"
            f" threshold_shift that fits an FPIR of {found.rate:.1%}, {found.shift:g}"
        )
    measured_on = f"{found.non_mated:,} non-mated searches at an FPIR of {found.rate:.1%}"
    write_shift(found.shift, measured_on, file)
