"""The progress of backfills as metrics for Prometheus, served while a run lasts. Needs the extra ``metrics``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from expandcontract.backfill.progress import Progress
from expandcontract.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client import Metric

_GAUGES: tuple[tuple[str, str, Callable[[Progress], float]], ...] = (
    ("ec_backfill_rows", "Rows seen in this pass, by all workers.", lambda it: it.rows),
    ("ec_backfill_rows_expected", "Rows of the table, as estimated.", lambda it: it.of_about),
    ("ec_backfill_rows_written", "Rows written in all passes.", lambda it: it.rows_written),
    ("ec_backfill_pass", "The number of the pass.", lambda it: it.number_of_pass),
    ("ec_backfill_rows_per_second", "Rows per second of all workers, over ten seconds.", lambda it: it.rate),
    ("ec_backfill_batch_rows", "Rows of a worker's next range.", lambda it: it.batch),
    ("ec_backfill_speed_share", "What the health signals leave of the speed, from 0 to 1.", lambda it: it.share),
    ("ec_backfill_waiting", "Whether no range may begin: 1 or 0.", lambda it: it.is_waiting),
)


class Metrics:
    """The last progress of each backfill, as a collector of prometheus_client's."""

    def __init__(self) -> None:
        self._last: dict[str, Progress] = {}

    def put(self, progress: Progress) -> None:
        """Remember it until there is a newer one."""
        self._last[progress.revision] = progress

    def collect(self) -> Iterator[Metric]:
        """One gauge after the other, with a sample for each backfill."""
        from prometheus_client.core import GaugeMetricFamily

        for name, words, value in _GAUGES:
            gauge = GaugeMetricFamily(name, words, labels=["revision"])
            for revision, progress in list(self._last.items()):
                gauge.add_metric([revision], float(value(progress)))
            yield gauge


@contextmanager
def serving(port: int | None) -> Iterator[Callable[[Progress], None]]:
    """
    Serve metrics on that port, of all addresses of this machine, and give who is to be told of progress.

    Raises:
        UsageError: the extra isn't installed, or the port can't be had.
    """
    if port is None:
        yield lambda progress: None
        return
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError:
        raise UsageError(
            "--metrics-port needs prometheus-client", next_command="pip install 'expandcontract[metrics]'"
        ) from None
    metrics, registry = Metrics(), CollectorRegistry()
    registry.register(metrics)
    try:
        server, thread = start_http_server(port, registry=registry)
    except OSError as error:
        raise UsageError(f"no metrics can be served on port {port}", because=error.strerror) from None
    try:
        yield metrics.put
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
