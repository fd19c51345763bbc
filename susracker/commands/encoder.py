"""`susracker encoder`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from susracker.benchmark.cache import EmbeddingCache
from susracker.benchmark.datasets import read_dataset
from susracker.benchmark.fitted import Fitted, fit_encoder
from susracker.commands.auditing import unaudited
from susracker.commands.encoding import encode_missing
from susracker.commands.findings import show_findings
from susracker.commands.groups import CommandGroup
from susracker.commands.hints import to_type
from susracker.commands.options import LoadedSettings, json_option, settings_options
from susracker.commands.progress import steps
from susracker.enrolment.enroller import Enroller
from susracker.errors import InputError
from susracker.plugins import (
    backend_names,
    open_detector,
    open_encoder,
    open_existing_store_of,
)
from susracker.runtime.files import make_private_folder, write_whole
from susracker.runtime.interruption import Interruption
from susracker.runtime.threads import one_core_a_thread
from susracker.watchlist.scoring import (
    PROBE_COUNTS,
    is_shipped,
    load_scoring,
    scoring_bytes,
    scoring_file,
)

SIZES = (20, 800, 10_000)
"""Lengths of watch-lists whose thresholds are shown."""

FACES = click.Path(path_type=Path, file_okay=False)


@click.group("encoder", cls=CommandGroup)
def command() -> None:
    """Check a recognition network of your own, and make what its scores need.

    A network is an ONNX file with a TOML file of the same name beside it, such as:

    \b
      size = 112               # width and height of the picture that goes in, in pixels
      channels = "RGB"         # or "BGR"
      mean = 127.5             # what goes in is (pixel - mean) * scale
      scale = 0.0078125
      alignment = "arcface"    # "dlib", or five points
      mirror = true            # whether a template is also made of the mirror image

    \b
    Examples:
      susracker encoder check site.onnx people/
      susracker encoder fit strangers/ --encoder onnx:site.onnx
      susracker encoder prepare --encoder onnx:site.onnx
      susracker serve --encoder onnx:site.onnx
    """


@command.command("check")
@click.argument("file", metavar="FILE")
@click.argument("faces", required=False, type=FACES)
@json_option
@settings_options("detector")
@unaudited("opens no store")
def check(loaded: LoadedSettings, file: str, faces: Path | None, as_json: bool) -> None:
    """Check a network on real faces.

    FILE is the network, or the name of an encoder. FACES is a folder with one folder of photos for
    each person. With up to 100 people who have several photos, the command measures how many pairs
    of photos of one person are more alike than all but 1 in 1,000 pairs of two people, and shows
    the same for dlib's network. Without FACES, it only looks at two portraits. The exit status is 1
    if there is a problem; warnings do not count.

    \b
    Examples:
      susracker encoder check site.onnx
      susracker encoder check site.onnx people/
      susracker encoder check dlib people/ --json
    """
    from susracker.commands.encoder_checks import check_encoder

    one_core_a_thread()
    name = file if file.partition(":")[0] in backend_names("encoders") else f"onnx:{file}"
    with steps() as on_step:
        found = list(check_encoder(open_encoder(name), loaded.settings, faces, on_step))
    show_findings(found, as_json=as_json)


@command.command("fit")
@click.argument("faces", type=FACES)
@settings_options("encoder", "workers")
@unaudited("opens no store")
def fit(loaded: LoadedSettings, faces: Path) -> None:
    """Make what a network's scores need, from faces of people who are not on the watch-list.

    FACES is a folder with one folder of photos for each person: at least 500 people, 150 of them
    with several photos; 2,000 people are better. The more alike they are to the people whom your
    cameras see, the truer the rate of false alerts. What is made is a file in the data directory:
    a cohort of people who do not exist, each mixed from two, and how often strangers reach each
    score. No real person's embedding is in it. Servers that share a store each need it.

    \b
    Examples:
      susracker encoder fit strangers/ --encoder onnx:site.onnx
      susracker encoder fit strangers/ --workers 8      the network that susracker.toml names
    """
    settings = loaded.settings
    encoder = open_encoder(settings.encoder)
    if is_shipped(encoder.id):
        raise InputError(
            f"susracker comes with what the scores of {settings.encoder} need; susracker benchmark "
            "FACES --apply fits its threshold to your photos"
        )
    dataset = read_dataset(faces)
    one_core_a_thread()
    with closing(EmbeddingCache()) as kept, steps() as on_step:
        total, done = len(dataset.photos), iter(range(1, len(dataset.photos) + 1))
        fitted = fit_encoder(
            encoder,
            dataset,
            kept,
            settings.workers,
            lambda: on_step("embedding", next(done), total),
        )
    _show(fitted)
    click.echo(f"wrote {_written(encoder.id, fitted)}")


@command.command("prepare")
@settings_options("store", "detector", "encoder", "workers", "max_megapixels")
@unaudited("makes templates of photos that are enrolled already, and shows nobody")
def prepare(loaded: LoadedSettings) -> None:
    """Make an encoder's templates of all stored photos, while a server uses another encoder.

    The server goes on matching with its own encoder, whose templates stay. Then restart it with the
    new one: what was enrolled meanwhile is encoded as it starts. An interrupted run resumes. On a
    machine that serves, leave it some cores with --workers, or run this under nice. The exit status
    is 1 if photos are left without a template; the log says why.

    
    Examples:
      susracker encoder prepare --encoder onnx:site.onnx
      nice susracker encoder prepare --encoder onnx:site.onnx --workers 1
    """
    settings = loaded.settings
    encoder = open_encoder(settings.encoder)
    load_scoring(encoder.id)
    one_core_a_thread()
    with open_existing_store_of(settings) as store, Interruption() as interruption:
        detector = open_detector(settings.detector)
        enroller = Enroller(store, encoder, detector, int(settings.max_megapixels * 1e6))
        made, missing = encode_missing(enroller, settings.workers, lambda: bool(interruption))
    click.echo(f"made {made:,} of {missing:,} templates that were missing of {encoder.id}")
    if interruption:
        raise click.exceptions.Exit(interruption.exit_status)
    if made < missing:
        raise click.exceptions.Exit(1)
    click.echo(f"{to_type(loaded, 'serve', '--encoder', settings.encoder)} can start with them")


def _show(fitted: Fitted) -> None:
    click.echo(
        f"fitted to {fitted.people:,} people, of whom {fitted.several:,} were taken for enrolled"
    )
    for size in SIZES:
        thresholds = (fitted.scoring.threshold(0.01, {1: size}, count) for count in PROBE_COUNTS)
        told = ", ".join(f"{one:.2f}" for one in thresholds)
        click.echo(f"thresholds for an FPIR of 1% with {size:,} enrolled: {told}")
    click.echo(f"(of one probe, and of {', '.join(map(str, PROBE_COUNTS[1:]))} that are fused)")


def _written(encoder_id: str, fitted: Fitted) -> Path:
    file = scoring_file(encoder_id)
    try:
        make_private_folder(file.parent)
        write_whole(file, scoring_bytes(fitted.scoring, fitted.photos))
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error
    return file
