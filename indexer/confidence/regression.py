"""The regression behind a confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.confidence.calibration import Logistic

__all__ = ["fit_logistic"]

_GRADIENT = 1e-9
"""Of the mean loss of a photo, at which the fit ends."""

_Floats = NDArray[np.float64]


def fit_logistic(features: _Floats, right: NDArray[np.bool_]) -> Logistic:
    """A logistic regression on standardised features with L2 of strength one, as scikit-learn's; scaling is folded in.

    Args:
        features: [N, F].
        right: [N] what is to be told from them; some are, and some are not.
    """
    from scipy.optimize import minimize

    mean, scale = features.mean(axis=0), np.where(np.ptp(features, axis=0) > 0, features.std(axis=0), 1.0)
    standard, sign = (features - mean) / scale, np.where(right, 1.0, -1.0)
    start = np.zeros(features.shape[1] + 1)
    found = minimize(_loss, start, (standard, sign), jac=True, method="BFGS", options={"gtol": _GRADIENT})
    coefficients = found.x[1:] / scale
    return Logistic(float(found.x[0] - coefficients @ mean), tuple(float(value) for value in coefficients))


def _loss(at: _Floats, standard: _Floats, sign: _Floats) -> tuple[float, _Floats]:
    """The mean loss of a photo, and its gradient, at an intercept and coefficients [1 + F]."""
    from scipy.special import expit, log_expit

    intercept, coefficients = at[0], at[1:]
    odds = sign * (standard @ coefficients + intercept)
    pull = -sign * expit(-odds)
    loss = -log_expit(odds).sum() + coefficients @ coefficients / 2
    gradient = np.concatenate([[pull.sum()], pull @ standard + coefficients])
    return loss / len(sign), gradient / len(sign)
