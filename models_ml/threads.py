"""Keeping BLAS to one thread where its threads would cost more than they bring.

Many small linear systems (fold-in, bootstrap, small regressions) lose by an order of magnitude to threads
that wait for one another on a busy machine. The limit is scoped, never global: EASE's inversion wants all
threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy import linalg
from threadpoolctl import ThreadpoolController

# Looking for the loaded BLAS libraries takes milliseconds; limiting those that were found takes
# microseconds. NumPy's and SciPy's are loaded by the imports above.
_controller: Any = ThreadpoolController()
_LOADED_FOR = (np, linalg)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """A context, also usable as a decorator, in which BLAS uses one thread."""
    with _controller.limit(limits=1, user_api="blas"):
        yield
