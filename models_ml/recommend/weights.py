"""Item-to-item weight matrices W: the score of item j is Σ over history items i of W[i, j].

All take a binary matrix X (customers or baskets × items) and give a sparse items × items matrix with an empty
diagonal. Sources: EASE — Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data"; RP3beta — Paudel
et al. 2017; BM25 and cosine neighbours — as in the `implicit` library, which does the counting.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from implicit.nearest_neighbours import all_pairs_knn, bm25_weight, normalize, tfidf_weight
from scipy import linalg, sparse

from models_ml.arrays import FloatArray

Csr = Any
"""A scipy CSR matrix; its stubs say nothing that helps here."""


def ease(X: Csr, regularisation: float, keep: int) -> Csr:
    """EASE: W = −P / diag(P) with P = (XᵀX + λI)⁻¹, the `keep` largest |weights| of each column.

    Dense while it is computed: 8 n² bytes and cubic time, so only for up to some 15,000 items. The inversion
    wants all BLAS threads: callers must not limit them.
    """
    gram = np.asarray((X.T @ X).todense(), dtype=np.float64)
    gram[np.diag_indices_from(gram)] += regularisation
    inverse = _inverse_of_positive_definite(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return _largest_of_columns(weights, keep)


def cosine(X: Csr, neighbours: int) -> Csr:
    """Cosine of the items' columns, the nearest `neighbours` of each."""
    return _neighbours(normalize(X.T.tocsr()).T.tocsr(), neighbours)


def tfidf(X: Csr, neighbours: int) -> Csr:
    """Cosine after weighting each customer by how few items he buys."""
    return _neighbours(normalize(tfidf_weight(X.T.tocsr())).T.tocsr(), neighbours)


def bm25(X: Csr, neighbours: int, k1: float, b: float) -> Csr:
    """Dot product of BM25-weighted columns; k1 saturates, b normalises by how much a customer buys."""
    return _neighbours(bm25_weight(X.T.tocsr(), k1, b).T.tocsr(), neighbours)


def shrunk_cosine(X: Csr, neighbours: int, shrink: float) -> Csr:
    """n_ij / (√(n_i n_j) + shrink): cosine that asks for evidence before it believes in a pair."""
    pairs = (X.T @ X).tocoo()
    sold = np.asarray(X.sum(axis=0)).ravel()
    off = pairs.row != pairs.col
    row, col, together = pairs.row[off], pairs.col[off], pairs.data[off]
    value = together / (np.sqrt(sold[row] * sold[col]) + shrink)
    return largest_of_rows(sparse.csr_matrix((value, (row, col)), shape=pairs.shape), neighbours)


def rp3beta(X: Csr, neighbours: int, alpha: float, beta: float) -> Csr:
    """Three-step random walk item → customer → item, its target damped by popularity^β; rows
    L1-normalised."""
    by_item = _rows_to_power(X.T.tocsr(), alpha)
    by_user = _rows_to_power(X.tocsr(), alpha)
    sold = np.asarray(X.sum(axis=0)).ravel()
    walk = (by_item @ by_user).tocsr()
    walk = walk @ sparse.diags(np.where(sold > 0, np.maximum(sold, 1.0) ** -beta, 0.0))
    walk.setdiag(0)
    walk.eliminate_zeros()
    return normalize_rows(largest_of_rows(walk.tocsr(), neighbours))


def largest_of_rows(matrix: Csr, keep: int) -> Csr:
    """The `keep` largest values of each row of a sparse matrix."""
    matrix = matrix.tocsr()
    matrix.sort_indices()
    kept: list[FloatArray] = []
    columns, lengths = [], []
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        data, indices = matrix.data[start:end], matrix.indices[start:end]
        if len(data) > keep:
            chosen = np.sort(np.argsort(-data, kind="stable")[:keep])
            data, indices = data[chosen], indices[chosen]
        kept.append(data)
        columns.append(indices)
        lengths.append(len(data))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_matrix((_joined(kept), _joined(columns), indptr), shape=matrix.shape)


def normalize_rows(matrix: Csr) -> Csr:
    """Rows that sum to 1; empty ones stay empty."""
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.divide(1.0, sums, out=np.zeros(len(sums)), where=sums != 0)
    return (sparse.diags(scale) @ matrix).tocsr()


def _joined(parts: list[Any]) -> Any:
    return np.concatenate(parts) if parts else np.empty(0)


def _inverse_of_positive_definite(gram: FloatArray) -> FloatArray:
    factor, _ = linalg.cho_factor(gram, lower=True, overwrite_a=True)
    inverse, info = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info:
        raise np.linalg.LinAlgError("the Gram matrix is singular: regularisation must be positive")
    lower = np.tril(inverse)
    return np.asarray(lower + np.tril(lower, -1).T, dtype=np.float64)


def _largest_of_columns(dense: FloatArray, keep: int) -> Csr:
    size = len(dense)
    if keep >= size:
        return sparse.csr_matrix(dense)
    rows = np.argpartition(-np.abs(dense), keep - 1, axis=0)[:keep]
    columns = np.broadcast_to(np.arange(size), rows.shape)
    values = dense[rows, columns]
    return sparse.csr_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=dense.shape)


def _neighbours(weighted: Csr, neighbours: int) -> Csr:
    # One thread: with several the sums' order, and so their last bits and the ties, would change from run to
    # run.
    similar = all_pairs_knn(weighted, neighbours + 1, show_progress=False, num_threads=1).tocsr()
    similar.setdiag(0)
    similar.eliminate_zeros()
    # all_pairs_knn lists the neighbours of an item in its row: W[i, j] must be what j thinks of i.
    return similar.T.tocsr()


def _rows_to_power(matrix: Csr, alpha: float) -> Csr:
    shares = normalize_rows(matrix.astype(np.float64))
    shares.data = shares.data**alpha
    return shares
