"""From flags to a session: the convolution or network is opened, timed and saved."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sepcalc import __version__
from sepcalc.cli.convolution import compared
from sepcalc.cli.flags import flags_of, refuse
from sepcalc.cli.measure_flags import MeasuredFlags
from sepcalc.cli.progress import measure_progress
from sepcalc.cli.sources import ScaleFlags
from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.session import Session
from sepcalc.readers.sources import kind_of

Timing = Callable[[MeasurementSetup], Session]


def measured_session(
    sources: Sequence[str],
    measured: MeasuredFlags,
    command: str,
    save: Path | None,
    check: Callable[[Sequence[Conditions]], None],
) -> Session:
    """The session described by the flags, also written to the file ``save``; ``command`` is stored in it.

    ``check`` gets the conditions before anything is opened or measured, and may raise.

    Raises :class:`SepcalcError` if nothing is described or could be timed, or a file cannot be written;
    :class:`KeyboardInterrupt` after an interruption before the first result.
    """
    conditions, plan = measured.conditions.grid(), measured.plan.plan()
    check(conditions)
    if measured.conditions.backward:
        refuse({"--roofline": measured.roofline}, "counts are those of a forward pass; leave --backward out")
    timing = _network(sources, measured) if sources else _layer(measured)
    with ExitStack() as stack:
        file = None
        if save is not None:
            from sepcalc.render.files import writing

            # A missing folder is reported before the measurement, not after it.
            file = stack.enter_context(writing(save))
        from sepcalc.measure.pytorch.bench import torch_bench

        timed = timing(
            MeasurementSetup(
                conditions=conditions,
                plan=plan,
                roofline=measured.roofline,
                bench=torch_bench(),
                progress=stack.enter_context(measure_progress()),
                command=command,
            )
        )
        _check_anything(timed)
        session = replace(timed, environment={"sepcalc": __version__, **timed.environment})
        if file is not None:
            from sepcalc.measure.record import encoded

            file.write(encoded(session))
    return session


def _layer(measured: MeasuredFlags) -> Timing:
    from sepcalc.measure.layer import measure_layer

    given = flags_of(measured.convolution)
    if not any(given[name] for name in ("--cin", "--cout", "--channels", "-k")):
        raise SepcalcError("name a network, or describe a convolution like --cin 64 --cout 128 -k 3 --size 56")
    others = {"--width": measured.width, **flags_of(measured.imports), **flags_of(measured.patterns)}
    refuse(others, "they are for networks, and this is one convolution; leave them out")
    comparison = compared(measured.convolution, measured.variants)
    if comparison.spec.size is None:
        raise SepcalcError("--size: timing needs a feature map of some size; give one like 56")
    return lambda setting: measure_layer(comparison, setting)


def _network(sources: Sequence[str], measured: MeasuredFlags) -> Timing:
    from sepcalc.measure.network import measure_network

    if len(sources) > 1:
        raise SepcalcError(f"one network at a time, not {', '.join(sources)}; --save each, and --load them together")
    (source,) = sources
    given = {name: value for name, value in flags_of(measured.convolution).items() if name != "--size"}
    refuse(given, f"they describe a convolution, and '{source}' is a network; leave one or the other out")
    variants = measured.variants.chosen()
    scale = ScaleFlags(width=measured.width, size=measured.convolution.size)
    network = measured.imports.open(source, scale)
    measured.patterns.rewritten(network, variants)  # raises if a pattern matches nothing
    only, keep = measured.patterns.only or (), measured.patterns.keep or ()
    own = None
    if kind_of(source) == "torch":
        from sepcalc.measure.pytorch.bench import own_model

        own = own_model(measured.imports.request(source, scale), network, only=only, keep=keep)
    return lambda setting: measure_network(network, setting, variants=variants, only=only, keep=keep, own=own)


def _check_anything(session: Session) -> None:
    """Raise if no row has a sample: :class:`KeyboardInterrupt`, or an error with the reason."""
    if not any(row.series for row in session.rows):
        if session.interrupted:
            raise KeyboardInterrupt
        reason = next((row.failure for row in session.rows if row.failure), "no variant applies")
        raise SepcalcError(f"nothing could be timed: {reason}")
