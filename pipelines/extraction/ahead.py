"""Reading ahead: while DuckDB takes one chunk, the driver already fetches the next."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

_END = object()


def ahead(source: Iterator[T], *, depth: int = 2) -> Iterator[T]:
    """The same items, fetched by a thread of their own up to `depth` ahead; its errors are raised here.

    The thread ends with the source or when the consumer stops; nobody else may use what `source` reads meanwhile.
    """
    ready: queue.Queue[object] = queue.Queue(depth)
    stopped = threading.Event()

    def offer(item: object) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def fetch() -> None:
        try:
            for item in source:
                if not offer(item):
                    return
            offer(_END)
        except BaseException as error:  # noqa: BLE001 - handed over to the consumer, whatever it is
            offer(error)

    thread = threading.Thread(target=fetch, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
