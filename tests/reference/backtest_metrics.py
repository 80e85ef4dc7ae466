"""Figures of a back-test by numpy, scipy and scikit-learn, for the unit tests of src/backtest.

    pip install numpy==2.* scipy==1.* scikit-learn==1.*
    python tests/reference/backtest_metrics.py > tests/data/backtest_metrics.json

Nothing of clv is used. Gini coefficients are areas below concentration curves (trapezia over groups of ties), the top decile divides ties, CRPS is
the sum over k of (F(k) - [y <= k])^2 with scipy's distribution functions, the PIT follows Czado, Gneiting & Held (2009), eq. 2.
"""

import json
import sys

import numpy as np
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import brier_score_loss, mean_absolute_error, mean_squared_error, roc_auc_score

LEVELS = [0.5, 0.8, 0.9, 0.95]


def concentration_area(key, amounts):
    """Area between the diagonal and the concentration curve of amounts, customers in ascending order of key, equal keys on one straight line."""
    x, y, done, total = [0.0], [0.0], 0, 0.0
    for value in np.unique(key):
        tied = key == value
        done += tied.sum()
        total += amounts[tied].sum()
        x.append(done / len(key))
        y.append(total / amounts.sum())
    return 0.5 - np.trapezoid(y, x)


def top_decile(key, amounts):
    left, captured = 0.1 * len(key), 0.0
    for value in np.unique(key)[::-1]:
        tied = key == value
        taken = min(left, tied.sum())
        captured += taken / tied.sum() * amounts[tied].sum()
        left -= taken
    return captured / amounts.sum()


def defined(value):
    return float(value) if np.isfinite(value) else None


def figures(predicted, actual, p_active):
    p, a, q = (np.asarray(values, float) for values in (predicted, actual, p_active))
    names = ["bias", "mae", "rmse", "wape", "correlation", "spearman", "gini", "top_decile_capture", "calibration_slope", "brier", "auc"]
    found = dict.fromkeys(names)
    if len(a) == 0:
        return found
    active = a > 0
    found["mae"] = mean_absolute_error(a, p)
    found["rmse"] = float(np.sqrt(mean_squared_error(a, p)))
    found["brier"] = brier_score_loss(active, q, labels=[False, True])
    if a.sum() > 0:
        found["bias"] = p.sum() / a.sum() - 1
        found["wape"] = np.abs(p - a).sum() / a.sum()
        found["top_decile_capture"] = top_decile(p, a)
    if np.ptp(a) > 0:
        found["gini"] = concentration_area(p, a) / concentration_area(a, a)
        if np.ptp(p) > 0:
            found["correlation"] = np.corrcoef(p, a)[0, 1]
            found["spearman"] = stats.spearmanr(p, a).statistic
            found["calibration_slope"] = LinearRegression().fit(p[:, None], a).coef_[0]
    if active.any() and not active.all():
        found["auc"] = roc_auc_score(active, q)
    return {name: None if value is None else float(value) for name, value in found.items()}


def case(name, predicted, actual, p_active):
    return {
        "name": name,
        "predicted": [float(value) for value in predicted],
        "actual": [float(value) for value in actual],
        "p_active": [float(value) for value in p_active],
        "figures": figures(predicted, actual, p_active),
    }


def metric_cases():
    rng = np.random.default_rng(20240607)
    mean = rng.gamma(0.4, 2.0, 200)
    actual = rng.poisson(mean * rng.gamma(2.0, 0.5, 200))
    yield case("two hundred customers", mean, actual, 1 - np.exp(-mean))
    tied = np.round(mean)
    yield case("many ties", tied, actual, np.round(1 - np.exp(-mean), 1))
    yield case("nobody bought", [0.2, 0.7, 1.5], [0, 0, 0], [0.1, 0.4, 0.8])
    yield case("everybody bought as much", [0.2, 0.7, 1.5], [2, 2, 2], [0.1, 0.4, 0.8])
    yield case("one forecast for all", [0.5] * 4, [0, 1, 0, 3], [0.3] * 4)
    yield case("a single customer", [1.25], [2], [0.6])
    yield case("an empty group", [], [], [])
    spend = actual * rng.gamma(3.0, 11.0, 200)
    yield case("spend", 33 * mean, spend, 1 - np.exp(-mean))


def count_cases():
    """NBD(r, alpha) over t, alive with probability p: 1 - p more at 0."""
    for r, alpha, t, p, count in [
        (0.243, 4.414, 39.0, 0.9, 0),
        (0.243, 4.414, 39.0, 0.9, 3),
        (2.5, 6.0, 13.0, 0.35, 0),
        (2.5, 6.0, 13.0, 0.35, 9),
        (30.0, 2.0, 52.0, 1.0, 700),
        (1.0, 3.0, 3.0, 0.0, 0),
        (0.8, 1.0, 0.25, 0.5, 40),
    ]:
        law = stats.nbinom(r, alpha / (alpha + t))
        k = np.arange(0, 20_000)
        cdf = (1 - p) + p * law.cdf(k)
        pmf = p * law.pmf(count) + (1 - p if count == 0 else 0)
        yield {
            "r": r,
            "alpha": alpha,
            "t": t,
            "p_alive": p,
            "count": count,
            "expected": p * law.mean(),
            "variance": p * (law.var() + (1 - p) * law.mean() ** 2),
            "p_active": p * law.sf(0),
            "log_score": float(-np.log(pmf)),
            "crps": float(((cdf - (k >= count)) ** 2).sum()),
            "cdf": [float(cdf[count - 1]) if count else 0.0, float(cdf[count])],
            "lower": [int(np.argmax(cdf >= (1 - level) / 2)) for level in LEVELS],
            "upper": [int(np.argmax(cdf >= (1 + level) / 2)) for level in LEVELS],
        }


def pit(counts):
    """The mean of F(u | y) over the counts above, at the ends of the tenths of [0, 1]."""
    ends = []
    for u in np.linspace(0, 1, 11):
        each = [1.0 if u >= at else 0.0 if u <= below else (u - below) / (at - below) for below, at in (count["cdf"] for count in counts)]
        ends.append(float(np.mean(each)))
    return {"shares": np.diff(ends).tolist(), "distance": float(np.max(np.abs(np.array(ends) - np.linspace(0, 1, 11))))}


counts = list(count_cases())
json.dump({"cases": list(metric_cases()), "counts": counts, "pit": pit(counts)}, sys.stdout, indent=1)
print()
