#!/usr/bin/env python3
"""40-digit reference values of the likelihoods of customers of whom less is known than a history.

Run:     python3 tests/reference/make_censored_tables.py
Needs:   mpmath 1.3.0 (pip install mpmath).
Writes:  left_truncated.csv, period_counts.csv and cross_sections.csv beside this script. Same script, same bytes: every draw is seeded.

Values.  None is computed the way the crate does it. Left truncation of BG/NBD and MBG/NBD: 2F1 of the
literature. Pareto/NBD: the 2F1 of Fader & Hardie (2005); within a period, composite Gauss-Legendre. Being seen or gone:
differences from 1. Inputs are decimal strings whose meaning is the nearest IEEE double.

Checks.  Every row is evaluated a second time with 40 digits more (and, for the quadrature, other panels) until 42 digits are
the same. The formulas are compared with the definition itself at a few points: the double integral over the purchase rate
and the dropout rate or probability.
"""

import csv
import pathlib
import random
import sys
from functools import lru_cache

from mpmath import mp, mpf, quad, hyp2f1, beta, gamma, log, exp, rf, factorial, inf
from mpmath.calculus.quadrature import GaussLegendre

HERE = pathlib.Path(__file__).resolve().parent


def settled(formula, *args):
    """The value of ln `formula`, at two precisions, 44 digits the same."""
    previous = None
    for digits in (60, 100, 170, 290, 490, 830):
        mp.dps = digits
        value = log(formula(*args))
        if previous is not None and abs(value - previous) <= mpf(10) ** -42 * max(1, abs(value)):
            return value
        previous = value
    raise ArithmeticError(f"{formula.__name__}{args}")


# -- left truncation -------------------------------------------------------------------------

def bg_mean(a, b, n, A, w):
    """E[(A + p w)^-n], p ~ beta(a, b)."""
    return A ** -n * hyp2f1(n, a, a + b, -w / A)


def bg_truncated(par, w, x, t_x, C, k, only_seen):
    r, alpha, a, b = map(mpf, par)
    w, t_x, C, n = mpf(w), mpf(t_x), mpf(C), mpf(par[0]) + x
    front = rf(r, x) * alpha ** r
    total = front * beta(a, b + x + k) / beta(a, b) * bg_mean(a, b + x + k, n, alpha + C, w)
    silent = alpha ** r * beta(a, b + k) / beta(a, b) * bg_mean(a, b + k, r, alpha + C, w)
    alive = alpha ** r * beta(a, b + k) / beta(a, b) * bg_mean(a, b + k, r, alpha, w)
    if x > 0:
        total += front * beta(a + 1, b + x + k - 1) / beta(a, b) * bg_mean(a + 1, b + x + k - 1, n, alpha + t_x, w)
    else:
        total += 1 - alive
    return total / (alive - silent) if only_seen else total


def dropped_since(r, alpha, s, beta_, n, t):
    """s/(n+s) times the 2F1 of Fader & Hardie (2005): s Int_t^inf (alpha+u)^-n (beta+u)^-(s+1) du."""
    if alpha >= beta_:
        value = hyp2f1(n + s, s + 1, n + s + 1, (alpha - beta_) / (alpha + t)) * (alpha + t) ** -(n + s)
    else:
        value = hyp2f1(n + s, n, n + s + 1, (beta_ - alpha) / (beta_ + t)) * (beta_ + t) ** -(n + s)
    return s / (n + s) * value


@lru_cache
def gauss_legendre(precision):
    return GaussLegendre(mp).calc_nodes(5, precision)          # 48 nodes on [-1, 1]


def period_integral(alpha, beta_, n, q, start, length, power):
    """int_0^1 t^power (alpha+start+length t)^-n (beta+start+length t)^-q dt.

    Composite Gauss-Legendre in y = ln t, where the integrand is analytic for |Im y| < pi; panels so short that it changes
    by e^20 at most, and with the working precision shorter. Panels that do not count to 60 digits are left out.
    """
    f = lambda y: exp((power + 1) * y - n * log(alpha + start + length * exp(y)) - q * log(beta_ + start + length * exp(y)))
    width = min(mpf(1) / 2, mpf(20) / (n + q + power + 1)) * 60 / mp.dps
    if mp.dps > 100:
        raise ArithmeticError("two widths ought to do")
    ends, y = [mpf(0)], mpf(0)
    heights = [f(y)]
    while heights[-1] > max(heights) * mpf(10) ** -70:
        y -= width
        ends.append(y)
        heights.append(f(y))
    top, total = max(heights), mpf(0)
    for right, left, one, other in zip(ends, ends[1:], heights, heights[1:]):
        if max(one, other) > top * mpf(10) ** -62:
            middle, half = (left + right) / 2, (right - left) / 2
            total += half * sum(weight * f(middle + half * node) for node, weight in gauss_legendre(mp.prec))
    return total


def pareto_plain(par, x, t_x, T):
    r, alpha, s, beta_ = map(mpf, par)
    n = r + x
    alive = (alpha + T) ** -n * (beta_ + T) ** -s
    return rf(r, x) * alpha ** r * beta_ ** s * (alive + dropped_since(r, alpha, s, beta_, n, mpf(t_x)) - dropped_since(r, alpha, s, beta_, n, mpf(T)))


def pareto_truncated(par, w, x, t_x, C, only_seen):
    r, alpha, s, beta_ = map(mpf, par)
    w, t_x, C = mpf(w), mpf(t_x), mpf(C)
    older = (r, alpha, s, beta_ + w)
    f = (beta_ / (beta_ + w)) ** s
    total = f * pareto_plain(older, x, t_x, C) + (1 - f if x == 0 else 0)
    return total / (f * (1 - pareto_plain(older, 0, 0, C))) if only_seen else total


# -- counts per period -----------------------------------------------------------------------

def front_of_counts(r, alpha, ends, counts):
    value, start = rf(r, sum(counts)) * alpha ** r, mpf(0)
    for end, count in zip(ends, counts):
        value *= (mpf(end) - start) ** count / factorial(count)
        start = mpf(end)
    return value


def last_period(ends, counts):
    j = max(i for i, count in enumerate(counts) if count)
    return (mpf(ends[j - 1]) if j else mpf(0)), mpf(ends[j]), counts[j]


def bg_counts(par, ends, counts, k):
    r, alpha, a, b = map(mpf, par)
    x, T = sum(counts), mpf(ends[-1])
    n = r + x
    front = front_of_counts(r, alpha, ends, counts)
    total = front * beta(a, b + x + k) / beta(a, b) * (alpha + T) ** -n
    if x > 0:
        start, end, last = last_period(ends, counts)
        time = (alpha + start) ** -n * hyp2f1(n, last, last + 1, -(end - start) / (alpha + start))
        total += front * beta(a + 1, b + x + k - 1) / beta(a, b) * time
    elif k:
        total += front * beta(a + 1, b) / beta(a, b) * alpha ** -n
    return total


def pareto_counts(par, ends, counts):
    r, alpha, s, beta_ = map(mpf, par)
    x, T = sum(counts), mpf(ends[-1])
    n = r + x
    if x == 0:
        return pareto_plain(par, 0, 0, T)
    start, end, last = last_period(ends, counts)
    alive = (alpha + T) ** -n * (beta_ + T) ** -s
    later = dropped_since(r, alpha, s, beta_, n, end) - dropped_since(r, alpha, s, beta_, n, T)
    within = s * (end - start) * period_integral(alpha, beta_, n, s + 1, start, end - start, last)
    return front_of_counts(r, alpha, ends, counts) * beta_ ** s * (alive + later + within)


# -- cross-sections --------------------------------------------------------------------------

def cross_section(par, n, since, length, or_more):
    r, alpha, s, beta_ = map(mpf, par)
    since, length = mpf(since), mpf(length)
    f = (beta_ / (beta_ + since)) ** s
    older = (r, alpha, s, beta_ + since)
    if or_more:
        front = rf(r, n) / factorial(n - 1) * alpha ** r * (beta_ + since) ** s
        return f * front * length ** n * period_integral(alpha, beta_ + since, r + n, s, mpf(0), length, n - 1)
    value = f * pareto_counts(older, [length], [n])
    return value + (1 - f) if n == 0 else value


# -- checks by the definition ----------------------------------------------------------------

def by_definition():
    """Double integrals over lambda and p or mu, at moderate points."""
    mp.dps = 25
    r, alpha, a, b = mpf("0.8"), mpf(5), mpf("1.3"), mpf("2.4")
    w, x, t_x, C = mpf(20), 3, mpf(25), mpf(40)
    g = lambda l: alpha ** r * l ** (r - 1) * exp(-alpha * l) / gamma(r)
    for k in (0, 1):
        def inner(p):
            alive_then = lambda l: (1 - p) ** k * exp(-l * p * w)
            f = lambda l: g(l) * alive_then(l) * l ** x * ((1 - p) ** x * exp(-l * C) + p * (1 - p) ** (x - 1) * exp(-l * t_x))
            return p ** (a - 1) * (1 - p) ** (b - 1) / beta(a, b) * quad(f, [0, 0.1, 0.5, 2, 6, inf])
        value = quad(inner, [0, 0.5, 1])
        formula = bg_truncated(("0.8", "5", "1.3", "2.4"), 20, 3, 25, 40, k, False)
        assert abs(value / formula - 1) < mpf(10) ** -10, (value, formula)
    s, beta_ = mpf("0.9"), mpf(12)
    def inner(m):
        density = beta_ ** s * m ** (s - 1) * exp(-beta_ * m) / gamma(s)
        def f(l):
            dropped = m * (exp(-(l + m) * t_x) - exp(-(l + m) * C)) / (l + m)
            return g(l) * exp(-m * w) * l ** x * (exp(-(l + m) * C) + dropped)
        return density * quad(f, [0, 0.1, 0.5, 2, 6, inf])
    value = quad(inner, [0, 0.05, 0.3, 1, 4, inf])
    formula = pareto_truncated(("0.8", "5", "0.9", "12"), 20, 3, 25, 40, False)
    assert abs(value / formula - 1) < mpf(10) ** -10, (value, formula)


# -- draws -----------------------------------------------------------------------------------

def number(rng, low, high):
    """A log-uniform decimal of five digits."""
    return f"{low * (high / low) ** rng.random():.5g}"


MODERATE = {"pareto-nbd": ("0.553", "10.578", "0.606", "11.669"), "bg-nbd": ("0.243", "4.414", "0.793", "2.426"),
            "mbg-nbd": ("0.525", "6.183", "0.891", "1.614")}


def parameters(rng, model, trouble):
    if rng.random() < 0.2 and not trouble:
        return MODERATE[model]
    low, high = (1e-3, 1e2) if trouble else (0.1, 5.0)
    scale = (1e-2, 1e4) if trouble else (1.0, 50.0)
    shape = lambda: number(rng, low, high)
    r, alpha, second = shape(), number(rng, *scale), shape()
    last = number(rng, *scale) if model == "pareto-nbd" else shape()
    special = rng.random()
    if special < 0.08:
        second = "1"
    elif special < 0.16 and model == "pareto-nbd":
        last = alpha
    return r, alpha, second, last


def count(rng, trouble):
    if rng.random() < 0.3:
        return 0
    return int(1.0 * (1000 if trouble else 20) ** rng.random())


def write(name, columns, rows):
    with open(HERE / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows", file=sys.stderr)


def digits(value):
    mp.dps = 60
    return mp.nstr(value, 40)


def left_truncated(rng, rows_per_model):
    rows = []
    for model in MODERATE:
        for i in range(rows_per_model):
            trouble = i % 2 == 1
            par, x = parameters(rng, model, trouble), count(rng, trouble)
            C = number(rng, 0.5, 1000) if trouble else number(rng, 10, 100)
            w = number(rng, 1e-3, 1e4) if trouble else number(rng, 5, 200)
            share = rng.choice(("1", "0.999", f"{rng.random():.3f}", f"{rng.random():.3f}"))
            t_x = C if share == "1" else f"{float(C) * float(share):.6g}"
            t_x = "0" if x == 0 else min(t_x, C, key=float)
            only_seen = x > 0 and rng.random() < 0.5
            exact = [mpf(float(v)) for v in par]
            args = (exact, float(w), x, float(t_x), float(C))
            formula = pareto_truncated if model == "pareto-nbd" else bg_truncated
            value = settled(formula, *args, *(() if model == "pareto-nbd" else (int(model == "mbg-nbd"),)), only_seen)
            rows.append((model, *par, "seen" if only_seen else "all", w, x, t_x, C, digits(value)))
    write("left_truncated", ("model", "p1", "p2", "p3", "p4", "list", "w", "x", "t_x", "C", "value"), rows)


def period_counts(rng, rows_per_model):
    rows = []
    for model in MODERATE:
        for i in range(rows_per_model):
            trouble = i % 2 == 1
            par = parameters(rng, model, trouble)
            K = rng.randint(1, 6)
            ends, end = [], 0.0
            for _ in range(K):
                end += float(number(rng, 0.05, 300) if trouble else number(rng, 2, 20))
                ends.append(f"{end:.6g}")
            counts = [0 if rng.random() < 0.5 else count(rng, trouble) for _ in range(K)]
            exact = [mpf(float(v)) for v in par]
            formula = pareto_counts if model == "pareto-nbd" else bg_counts
            args = (exact, [float(e) for e in ends], counts)
            value = settled(formula, *args, *(() if model == "pareto-nbd" else (int(model == "mbg-nbd"),)))
            rows.append((model, *par, " ".join(ends), " ".join(map(str, counts)), digits(value)))
    write("period_counts", ("model", "p1", "p2", "p3", "p4", "ends", "counts", "value"), rows)


def cross_sections(rng, count_of_rows):
    rows = []
    for i in range(count_of_rows):
        trouble = i % 2 == 1
        par = parameters(rng, "pareto-nbd", trouble)
        n = count(rng, trouble)
        or_more = n > 0 and rng.random() < 0.4
        since = "0" if rng.random() < 0.2 else number(rng, 1e-2, 1e4) if trouble else number(rng, 5, 200)
        length = number(rng, 0.1, 1000) if trouble else number(rng, 2, 60)
        value = settled(cross_section, [mpf(float(v)) for v in par], n, float(since), float(length), or_more)
        rows.append((*par, n, "or more" if or_more else "exactly", since, length, digits(value)))
    write("cross_sections", ("p1", "p2", "p3", "p4", "n", "cell", "since", "length", "value"), rows)


if __name__ == "__main__":
    by_definition()
    left_truncated(random.Random(1), 60)
    period_counts(random.Random(2), 60)
    cross_sections(random.Random(3), 120)
