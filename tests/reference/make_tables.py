#!/usr/bin/env python3
"""High-precision reference tables for the purchase and spend models.

Run:     python3 tests/reference/make_tables.py              all tables
         python3 tests/reference/make_tables.py pmf variance  only these
Needs:   python-flint 0.9.0 (ball arithmetic of FLINT/Arb) and, for two checks, mpmath 1.3.0
         (pip install python-flint mpmath).
Writes:  the CSV files beside this script. Same script, same bytes: every draw is seeded.

Values.  Every quantity is evaluated from a textbook closed form (2F1, Tricomi's U, incomplete beta
and gamma functions) in ball arithmetic, three of them from an integral over time: the Pareto/NBD
survival of the count (density of a purchase time), its pmf for large counts, and the BG/NBD
discounted purchases (density of purchases, a 2F1). The working precision is raised until the error is below 2^-145 of the value, so
all 40 printed digits are right but for one unit in the last. That error is proven by the balls
except in three places, where it is estimated far too high: the limits at a = 1, a = 2, s = 1,
s = 2 (`removable`), the tail of `gauss_series`, and `panel_integral_from_zero`.
Inputs are decimal strings whose meaning is the nearest IEEE double, without rounding.

Checks.  Each table is compared, inside this script, with a second formula (a one-dimensional
integral or a sum, same precision) and, where the shapes allow it, with the definition itself: the
double integral over the purchase rate and the dropout rate or probability of what is known about
a single customer. The worst relative differences go to standard error; a difference above the
tolerance stops the run.

For large q in next_purchase_quantile (close to the chance of ever buying again), for x(T - t_x) >> alpha
in p_alive, and far in the tails of a count the value is exact for the doubles given, but badly
conditioned: a test must allow for the rounding of the inputs.

Models.  lambda ~ gamma(shape r, rate alpha) throughout.
  bg-nbd      p ~ beta(a, b), dropout with probability p after each repeat purchase;  p1..p4 = r, alpha, a, b
  mbg-nbd     the same, and dropout is possible right after the first purchase too;   p1..p4 = r, alpha, a, b
  pareto-nbd  mu ~ gamma(shape s, rate beta), dropout at rate mu;                 p1..p4 = r, alpha, s, beta
  nbd         no dropout;                                                         p1, p2 = r, alpha
A history is (x, t_x, T); x = t_x = T = 0 is a new customer. Log-likelihoods are those of the
papers, without combinatorial constants.

Papers.
  FHL05   Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2)
  BDF07   Batislam, Denizel, Filiztekin (2007), Intern. J. of Research in Marketing 24(3) (MBG/NBD)
  SMC87   Schmittlein, Morrison, Colombo (1987), Management Science 33(1) (Pareto/NBD)
  FH05    Fader, Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related Expressions
  RFM05   Fader, Hardie, Lee (2005), RFM and CLV: Using Iso-Value Curves, J. of Marketing Research 42(4)
  FH13    Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 025
"""

import csv
import math
import pathlib
import random
import sys
import time
from functools import lru_cache

import mpmath
from flint import acb, arb, ctx

HERE = pathlib.Path(__file__).resolve().parent
ROWS_PER_MODEL = 156        # half of them moderate, half chosen for trouble
BITS = 145                  # proven relative accuracy of a printed value
TIGHT = 2.0 ** -120         # tolerance of the checks by one-dimensional formulas (7.5e-37)
DOUBLE = 1e-18              # tolerance of the checks by the double integral (plain trapezoid rule)
SMALLEST = 1e-250           # smaller values are drawn anew
MODELS = ("bg-nbd", "mbg-nbd", "pareto-nbd", "nbd")
INF = math.inf


# ------------------------------------------------------------------------------------------
# Precision
# ------------------------------------------------------------------------------------------

def sharp(formula, *args):
    """The value of `formula(*args)`, precision raised until the ball is small enough."""
    precision = 192
    while precision <= 25_000:
        ctx.prec = precision
        value = formula(*args)
        if value is None or value.is_exact() or value.rel_accuracy_bits() >= BITS:
            return value
        precision = precision * 5 // 3
    raise ArithmeticError(f"no accurate value of {formula.__name__}{args}")


def removable(formula, parameter, poles):
    """`formula(parameter)`, which has removable singularities at the integers `poles`.

    There, the mean of the two neighbours at distance h = 2^-200: the error is of order h^2.
    """
    if parameter not in poles:
        return formula(arb(parameter))
    h = arb(2) ** -200
    return (formula(arb(parameter) + h) + formula(arb(parameter) - h)) / 2


def digits(value):
    """40 significant digits."""
    return "0" if value == 0 else value.str(40, radius=False)


def relative_difference(value, other):
    """|value/other - 1| as a float, error balls included; 0 if both are exactly 0."""
    if value == 0 and other == 0:
        return 0.0
    return float(abs((other - value) / value).upper())


def integral(integrand, low, high, bits=BITS + 12, tiny=None):
    """int_low^high of an analytic function (rigorous, adaptive Gauss-Legendre of Arb).

    `integrand(z, analytic)` gets a complex ball. `bits`: relative accuracy aimed at; `tiny`: absolute accuracy
    that is good enough besides.
    """
    ctx.prec += 32
    try:
        value = acb.integral(integrand, acb(low), acb(high), rel_tol=arb(2) ** -bits,
                             abs_tol=arb(0) if tiny is None else tiny,
                             eval_limit=2_000_000, depth_limit=100_000)
    finally:
        ctx.prec -= 32
    return value.real


def integral_from_zero(integrand, scale, high):
    """int_0^high f(u) du in the variable w = ln(1 + u/scale); f gets (u, analytic)."""
    scale = arb(scale)

    def in_log_time(w, analytic):
        growth = w.exp()
        return integrand(scale * (growth - 1), analytic) * scale * growth

    return integral(in_log_time, 0, (arb(high) / scale).log1p())


@lru_cache
def gauss_legendre(count, precision):
    return [arb.legendre_p_root(count, i, weight=True) for i in range(count)]


def panel_integral_from_zero(integrand, scale, high):
    """int_0^high f(u) du for real u, in w = ln(1 + u/scale), panels of 48 and of 64 Gauss-Legendre nodes.

    The ball's radius is the difference of the two, far above the error of the second. Panels shrink
    as the working precision grows.
    """
    top = (arb(high) / scale).log1p()
    panels = int((float(top) + 8) * ctx.prec / 192)
    width = top / panels
    results = []
    for count in (48, 64):
        total = arb(0)
        for panel in range(panels):
            for node, weight in gauss_legendre(count, ctx.prec):
                growth = ((panel + (node + 1) / 2) * width).exp()
                total += weight * integrand(scale * (growth - 1)) * growth
        results.append(total * width / 2 * scale)
    return results[1] + arb(0, 1) * abs(results[1] - results[0]).upper()


def power(base, exponent, analytic):
    """base^exponent for a complex ball base, exponent real."""
    return (base.log(analytic=analytic) * exponent).exp()


# ------------------------------------------------------------------------------------------
# Special functions in the notation of the papers
# ------------------------------------------------------------------------------------------

def hyp2f1(a, b, c, z, regularized=False):
    return arb(z).hypgeom_2f1(a, b, c, regularized=regularized)


def hyp2f1_pfaff(r, a, c, tau):
    """2F1(r, a; c; -tau), c != 0.

    For large r (and c) as (1+tau)^-a 2F1(c-r, a; c; tau/(1+tau)), Pfaff: c - r is not large.
    """
    if r < 200:
        return hyp2f1(r, a, c, -tau)
    return (-a * tau.log1p()).exp() * gauss_series(c - r, a, c, tau / (1 + tau))


def gauss_series(a, b, c, z):
    """2F1(a, b; c; z), 0 < z < 1, c large: the plain series, which falls like k^-(c-a-b) even at z = 1."""
    term, total, k = arb(1), arb(1), 0
    smallest = arb(2) ** -(ctx.prec + 30)
    while not abs(term) < smallest * abs(total):
        term *= (a + k) * (b + k) / ((c + k) * (k + 1)) * z
        total += term
        k += 1
    return total + arb(0, 1) * (abs(term) * (c + k)).upper()


def beta(a, b):
    return arb(a).gamma() * arb(b).gamma() / (arb(a) + b).gamma()


def incomplete_beta(z, a, b):
    """I_z(a, b)."""
    return arb(z).beta_lower(a, b, regularized=1)


def upper_gamma(s, z):
    return arb(z).gamma_upper(s)


def one_minus_power(base_low, base_high, exponent):
    """1 - (base_low/base_high)^exponent."""
    return 1 - ((arb(base_low) / base_high).log() * exponent).exp()


# ------------------------------------------------------------------------------------------
# What a history tells: alive and dead parts of the likelihood
# ------------------------------------------------------------------------------------------
# Each function returns (prefactor, alive, dead); the likelihood is prefactor * (alive + dead).

def bg_parts(par, x, t_x, T, k):
    """FHL05 (6) for the BG/NBD (k = 0), BDF07 for the MBG/NBD (k = 1)."""
    r, alpha, a, b = map(arb, par)
    prefactor = r.rising(x) * (r * alpha.log()).exp() / beta(a, b)
    alive = beta(a, b + x + k) * (-(r + x) * (alpha + T).log()).exp()
    if x + k == 0:
        return prefactor, alive, arb(0)
    dead = beta(a + 1, b + x + k - 1) * (-(r + x) * (alpha + t_x).log()).exp()
    return prefactor, alive, dead


def pareto_a0(r, alpha, s, beta_, x, t):
    """One of the two terms of A0 in FH05: 2F1 at time t."""
    if alpha >= beta_:
        f = hyp2f1(r + s + x, s + 1, r + s + x + 1, (alpha - beta_) / (alpha + t))
        return f * (-(r + s + x) * (alpha + t).log()).exp()
    f = hyp2f1(r + s + x, r + x, r + s + x + 1, (beta_ - alpha) / (beta_ + t))
    return f * (-(r + s + x) * (beta_ + t).log()).exp()


def pareto_parts(par, x, t_x, T):
    """FH05: L = Gamma(r+x) alpha^r beta^s / Gamma(r) { (alpha+T)^-(r+x) (beta+T)^-s + s/(r+s+x) A0 }."""
    r, alpha, s, beta_ = map(arb, par)
    prefactor = r.rising(x) * (r * alpha.log() + s * beta_.log()).exp()
    alive = (-(r + x) * (alpha + T).log() - s * (beta_ + T).log()).exp()
    if T == t_x:
        return prefactor, alive, arb(0)
    a0 = pareto_a0(r, alpha, s, beta_, x, arb(t_x)) - pareto_a0(r, alpha, s, beta_, x, arb(T))
    return prefactor, alive, s / (r + s + x) * a0


def nbd_parts(par, x, t_x, T):
    """NBD: Gamma(r+x)/Gamma(r) alpha^r (alpha+T)^-(r+x)."""
    r, alpha = map(arb, par)
    return r.rising(x) * (r * alpha.log()).exp(), (-(r + x) * (alpha + T).log()).exp(), arb(0)


def parts(model, par, history):
    if model == "pareto-nbd":
        return pareto_parts(par, *history)
    if model == "nbd":
        return nbd_parts(par, *history)
    return bg_parts(par, *history, k=model == "mbg-nbd")


def log_likelihood(model, par, history):
    if history == (0, 0.0, 0.0):
        return arb(0)                                  # nothing observed, L = 1
    prefactor, alive, dead = parts(model, par, history)
    return (prefactor * (alive + dead)).log()


def p_alive(model, par, history):
    _, alive, dead = parts(model, par, history)
    return arb(1) if dead == 0 else alive / (alive + dead)


def p_dead(model, par, history):
    _, alive, dead = parts(model, par, history)
    return arb(0) if dead == 0 else dead / (alive + dead)


def given_alive(model, par, history):
    """Parameters of the posterior of a customer known to be alive at T (conjugacy).

    The double integral below does not use it and so checks it.
    """
    x, _, T = history
    r, alpha, *rest = map(arb, par)
    if model == "nbd":
        return r + x, alpha + T
    if model == "pareto-nbd":
        return r + x, alpha + T, rest[0], rest[1] + T
    return r + x, alpha + T, rest[0], rest[1] + x + (model == "mbg-nbd")


# ------------------------------------------------------------------------------------------
# The future of a customer who is alive: parameters are those of `given_alive`
# ------------------------------------------------------------------------------------------

def bg_expected(r, alpha, a, b, t):
    """FHL05 (9), (10): (a+b-1)/(a-1) [1 - (alpha/(alpha+t))^r 2F1(r, b; a+b-1; t/(alpha+t))].

    The product is 2F1(r, a-1; a+b-1; -t/alpha) (Pfaff). Regularized, so that a + b = 1 needs no limit.
    """
    c = a + b - 1
    if r < 200:
        f = hyp2f1(r, a - 1, c, -t / alpha, regularized=True) * (c + 1).gamma()
    else:
        f = c * hyp2f1_pfaff(r, a - 1, c, t / alpha)
    return (c - f) / (a - 1)


def pareto_expected(r, alpha, s, beta_, t):
    """FH05: r beta / (alpha (s-1)) [1 - (beta/(beta+t))^(s-1)]."""
    return r * beta_ / (alpha * (s - 1)) * one_minus_power(beta_, beta_ + t, s - 1)


def beta_moment(a, b, r, tau, k, m):
    """E_p[p^-k (1-p)^m (1 + p tau)^-r], p ~ beta(a, b), continued analytically to k > a."""
    c = a - k + b + m
    if r < 200:
        f = hyp2f1(r, a - k, c, -tau, regularized=True)
    else:
        f = hyp2f1_pfaff(r, a - k, c, tau) / c.gamma()
    return (a - k).gamma() * (b + m).gamma() * f / beta(a, b)


def bg_second_factorial(r, alpha, a, b, t):
    """E[N(N-1)] = 2 E_p[(1-p) p^-2 (1 - (1+p tau)^-r - r p tau (1+p tau)^-(r+1))], tau = t/alpha.

    From E[N(N-1) | lambda, p] = 2 (1-p) [1 - (1 + p lambda t) e^(-p lambda t)] / p^2.
    """
    tau = t / alpha
    return 2 * (beta_moment(a, b, arb(0), tau, 2, 1) - beta_moment(a, b, r, tau, 2, 1)
                - r * tau * beta_moment(a, b, r + 1, tau, 1, 1))


def pareto_second_factorial(r, alpha, s, beta_, t):
    """E[N(N-1)] = r(r+1)/alpha^2 * 2 int_0^t u (beta/(beta+u))^s du, in elementary form."""
    ratio = ((beta_ + t) / beta_).log()
    inner = (((2 - s) * ratio).exp() - 1) / (2 - s) - (((1 - s) * ratio).exp() - 1) / (1 - s)
    return 2 * r * (r + 1) / alpha ** 2 * beta_ ** 2 * inner


def expected_alive(model, par, history, t):
    t = arb(t)
    now = given_alive(model, par, history)
    if model == "nbd":
        r, alpha = now
        return r * t / alpha
    formula = pareto_expected if model == "pareto-nbd" else bg_expected
    return removable(lambda shape: formula(now[0], now[1], shape, now[3], t), par[2], (1.0,))


def second_factorial_alive(model, par, history, t):
    t = arb(t)
    now = given_alive(model, par, history)
    if model == "nbd":
        r, alpha = now
        return r * (r + 1) * (t / alpha) ** 2
    formula = pareto_second_factorial if model == "pareto-nbd" else bg_second_factorial
    return removable(lambda shape: formula(now[0], now[1], shape, now[3], t), par[2], (1.0, 2.0))


def expected_purchases(model, par, history, t):
    return p_alive(model, par, history) * expected_alive(model, par, history, t)


def variance(model, par, history, t):
    alive = p_alive(model, par, history)
    mean = alive * expected_alive(model, par, history, t)
    return alive * second_factorial_alive(model, par, history, t) + mean - mean ** 2


def nbd_pmf(r, alpha, n, t):
    """Gamma(r+n)/(Gamma(r) n!) (alpha/(alpha+t))^r (t/(alpha+t))^n."""
    return r.rising(n) / arb(n + 1).gamma() * ((alpha / (alpha + t)).log() * r).exp() * (t / (alpha + t)) ** n


def nbd_survival(r, alpha, n, t):
    """1 - sum_{j <= n} of nbd_pmf, the bracket in FHL05 (8)."""
    z = t / (alpha + t)
    term = ((alpha / (alpha + t)).log() * r).exp()
    total = arb(1)
    for j in range(n + 1):
        total -= term
        term *= (r + j) / (j + 1) * z
    return total


def bg_pmf(r, alpha, a, b, n, t):
    """FHL05 (8)."""
    value = beta(a, b + n) / beta(a, b) * nbd_pmf(r, alpha, n, t)
    if n > 0:
        value += beta(a + 1, b + n - 1) / beta(a, b) * nbd_survival(r, alpha, n - 1, t)
    return value


def pareto_pmf(r, alpha, s, beta_, n, t):
    """FH05: P(X(t) = n) with the terms B1 and B2(i); for n > 30 or r > 200, by the integral over the dropout time."""
    if n > 30 or r > 200:
        return pareto_pmf_by_dropout(r, alpha, s, beta_, n, t)
    if alpha >= beta_:
        larger, difference, second = alpha, alpha - beta_, s + 1
    else:
        larger, difference, second = beta_, beta_ - alpha, r + n
    c = r + s + n + 1
    b1 = hyp2f1(r + s, second, c, difference / larger) * (-(r + s) * larger.log()).exp()
    z = difference / (larger + t)
    factor = (-(r + s) * (larger + t).log()).exp()     # Gamma(r+s+i)/Gamma(r+s) t^i/i! / (larger+t)^(r+s+i)
    total = arb(0)
    for i in range(n + 1):
        total += factor * hyp2f1(r + s + i, second, c, z)
        factor *= (r + s + i) * t / ((i + 1) * (larger + t))
    alive = nbd_pmf(r, alpha, n, t) * ((beta_ / (beta_ + t)).log() * s).exp()
    scale = (r * alpha.log() + s * beta_.log()).exp() * beta(r + n, s + 1) / beta(r, s)
    return alive + scale * (b1 - total)


def pareto_pmf_by_dropout(r, alpha, s, beta_, n, t):
    """NBD pmf at t times P(alive), plus int_0^t s beta^s (beta+u)^-(s+1) NBD pmf at u du, in w = u/(alpha+u)."""
    eta = (beta_ - alpha) / beta_

    def log_rest(w, analytic):
        return (1 - w).log(analytic=analytic) * (r + s - 1) - (1 - w * eta).log(analytic=analytic) * (s + 1)

    dropped = arrival_integral(n, log_rest, t / (alpha + t), r + s + (s + 1) * abs(eta))
    alive = nbd_pmf(r, alpha, n, t) * ((beta_ / (beta_ + t)).log() * s).exp()
    return alive + s * alpha / beta_ * r.rising(n) / arb(n + 1).gamma() * dropped


def pmf(model, par, history, t, n):
    t, n = arb(t), int(n)
    alive = p_alive(model, par, history)
    formula = {"nbd": nbd_pmf, "pareto-nbd": pareto_pmf}.get(model, bg_pmf)
    value = alive * formula(*given_alive(model, par, history), n, t)
    return value if n > 0 else p_dead(model, par, history) + value


def bg_survival(r, alpha, a, b, n, t):
    """P(X(t) > n) = E[(1-p)^n] P(purchase n+1 would come before t) = B(a, b+n)/B(a, b) times the NBD's."""
    return beta(a, b + n) / beta(a, b) * nbd_survival(r, alpha, n, t)


def pareto_survival(r, alpha, s, beta_, n, t):
    """P(X(t) > n): density of the time of purchase n+1 times the chance of still being alive then.

    With w = u/(alpha+u): int_0^z w^n (1-w)^(r+s-1) (1 - w (beta-alpha)/beta)^-s dw / B(n+1, r),
    an Appell F1, here integrated.
    """
    eta = (beta_ - alpha) / beta_

    def log_rest(w, analytic):
        return (1 - w).log(analytic=analytic) * (r + s - 1) - (1 - w * eta).log(analytic=analytic) * s

    return arrival_integral(n, log_rest, t / (alpha + t), r + s + s * abs(eta)) / beta(n + 1, r)


def arrival_integral(n, log_rest, z, steepest):
    """int_0^z w^n exp(log_rest(w)) dw, with w = z e^-y; log_rest falls no faster than (1-w)^steepest at 0."""
    def log_integrand(y, analytic):
        return log_rest(z * (-y).exp(), analytic) - (n + 1) * y

    lowest_peak = (n + 1) / (n + 1 + steepest)
    top = arb(max(0.0, math.log(float(z / lowest_peak)))) + (24 / math.sqrt(n + 1) + 120 / (n + 1)) * ctx.prec / 160
    largest = max(log_integrand(acb(top * i / 256), False).real.mid() for i in range(256))
    scaled = integral(lambda y, analytic: (log_integrand(y, analytic) - largest).exp(), 0, top,
                      ctx.prec - 32, arb(2) ** (10 - ctx.prec))
    return scaled * (largest + (n + 1) * z.log()).exp()


def survival_of_count(model, par, history, t, n):
    t, n = arb(t), int(n)
    now = given_alive(model, par, history)
    if model == "nbd":
        return nbd_survival(*now, n, t)
    formula = pareto_survival if model == "pareto-nbd" else bg_survival
    return p_alive(model, par, history) * formula(*now, n, t)


def p_alive_later(model, par, history, t):
    """Pareto: (beta/(beta+t))^s.

    BG: dropout comes at rate lambda p, so E[(1 + p tau)^-r] = 2F1(r, a; a+b; -tau), tau = t/alpha.
    """
    t = arb(t)
    now = given_alive(model, par, history)
    if model == "nbd":
        return arb(1)
    if model == "pareto-nbd":
        later = ((now[3] / (now[3] + t)).log() * now[2]).exp()
    else:
        r, alpha, a, b = now
        later = hyp2f1_pfaff(r, a, a + b, t / alpha)
    return p_alive(model, par, history) * later


def pareto_discounted(r, alpha, s, beta_, t, delta):
    """RFM05 (DERT): r/alpha beta^s delta^(s-1) Psi-form; finite horizons are differences of Gamma(1-s, .)."""
    if delta == 0:
        if t == INF:
            return r * beta_ / (alpha * (s - 1))
        raise ValueError("handled by expected_alive")
    if t == INF:
        return r / alpha * beta_ * (delta * beta_).hypgeom_u(arb(1), 2 - s)     # z^(s-1) Psi(s, s; z) = Psi(1, 2-s; z)
    scale = r / alpha * (s * beta_.log() + (s - 1) * delta.log() + delta * beta_).exp()
    return scale * (upper_gamma(1 - s, delta * beta_) - upper_gamma(1 - s, delta * (beta_ + t)))


def bg_discounted(r, alpha, a, b, t, delta):
    """int_0^t e^(-delta u) dE[X(u)]/du du with dE[X(u)]/du = r/alpha 2F1(r+1, a; a+b; -u/alpha)."""
    if delta == 0:
        return (a + b - 1) / (a - 1)                   # t = inf: E[1/p], a > 1

    def integrand(u):
        return (-delta * u).exp() * hyp2f1_pfaff(r + 1, a, a + b, u / alpha)

    return r / alpha * panel_integral_from_zero(integrand, alpha, effective_horizon(t, delta))


def effective_horizon(t, delta):
    """The horizon, or where e^(-delta u) has fallen below e^-140."""
    return arb(t) if t != INF and delta * t < 140 else 140 / delta


def discounted(model, par, history, t, delta):
    if delta == 0 and t != INF:
        return expected_purchases(model, par, history, t)
    exact = arb(delta)
    now = given_alive(model, par, history)
    if model == "nbd":
        r, alpha = now
        whole = r / alpha / exact
        return whole if t == INF else -whole * (-exact * t).expm1()
    formula = pareto_discounted if model == "pareto-nbd" else bg_discounted
    return p_alive(model, par, history) * formula(*now, t if t == INF else arb(t), exact)


# -- time of the next purchase ---------------------------------------------------------------

def pareto_next_purchase_cdf(r, alpha, s, beta_, u):
    """P(at least one purchase in (0, u]), u may be inf: two 2F1 from int (alpha+v)^-(r+1) (beta+v)^-s dv."""
    def beyond(v):
        f = hyp2f1(s, r + s, r + s + 1, (alpha - beta_) / (alpha + v))
        return f * (-(r + s) * (alpha + v).log()).exp()

    scale = r / (r + s) * (r * alpha.log() + s * beta_.log()).exp()
    return scale * (beyond(arb(0)) - (beyond(arb(u)) if u != INF else 0))


def p_ever(model, par, history):
    """P(at least one purchase after T)."""
    alive = p_alive(model, par, history)
    if model != "pareto-nbd":
        return alive
    return alive * pareto_next_purchase_cdf(*given_alive(model, par, history), INF)


def newton_from_below(log_cdf, log_density, target, y, tolerance=2.0 ** -(BITS + 10)):
    """The y with cdf(y) = target, for a cdf whose logarithm is concave in y.

    Newton's method on ln cdf: after the first step every iterate is left of the root, and rises.
    """
    for _ in range(400):
        value = log_cdf(y)
        step = ((value - target.log()) / (log_density(y) - value).exp()).mid()
        y = (y - step).mid()
        if abs(step) < tolerance * (1 + abs(y)) or not step.is_finite():
            break
    return y


def certified(cdf, u, target):
    """u as a ball of relative radius 2^-(BITS+3), after proof that the root lies inside."""
    margin = arb(2) ** -(BITS + 3)
    if not (cdf(u * (1 - margin)) < target and cdf(u * (1 + margin)) > target):
        return arb("nan")                              # more precision, please
    return u * arb(1, 2.0 ** -(BITS + 3))


def next_purchase_quantile(model, par, history, q):
    """BG, MBG, NBD: alpha [(1 - q/P(alive))^(-1/r) - 1]. Pareto: root of the distribution function."""
    now = given_alive(model, par, history)
    r, alpha = now[:2]
    target = arb(q) / p_alive(model, par, history)
    if model != "pareto-nbd":
        return alpha * ((-(-target).log1p() / r).expm1())
    s, beta_ = now[2:]

    def log_density(y):
        u = y.exp()
        return (r / alpha).log() + y - (r + 1) * (u / alpha).log1p() - s * (u / beta_).log1p()

    def cdf(u):
        return pareto_next_purchase_cdf(*now, u)

    start = (alpha * target / r).log().mid()           # cdf(u) < r u / alpha: left of the root
    y = newton_from_below(lambda y: cdf(y.exp()).log(), log_density, target, start)
    return certified(cdf, y.exp().mid(), target)


# ------------------------------------------------------------------------------------------
# Gamma-Gamma: z ~ gamma(shape p, rate nu), nu ~ gamma(shape q, rate gamma)
# ------------------------------------------------------------------------------------------

def log_mean_density(p, q, gamma, n, mean):
    """FH13 (1a): density of the mean of n transactions."""
    return ((p * n + q).lgamma() - (p * n).lgamma() - q.lgamma() + q * gamma.log()
            + (p * n - 1) * mean.log() + p * n * n.log() - (p * n + q) * (gamma + n * mean).log())


def spend_posterior(p, q, gamma, x, m):
    """nu given the mean m of x transactions: gamma(q + p x, gamma + x m)."""
    return arb(q) + arb(p) * x, arb(gamma) + arb(m) * x


def spend_cdf(p, q, gamma, n, mean):
    """n mean / (gamma + n mean) ~ beta(p n, q)."""
    return incomplete_beta(n * mean / (gamma + n * mean), p * n, q)


def spend_quantile(p, q, gamma, n, probability):
    """Quantile of the mean: Newton in y = ln(w/(1-w)), w ~ beta(p n, q); upper half by its mirror image."""
    lower, shape_1, shape_2 = True, p * n, q
    target = arb(probability)
    if probability > 0.5:
        lower, shape_1, shape_2, target = False, q, p * n, 1 - target

    def cdf(odds):                                      # of w = odds/(1+odds), also where w rounds to 1
        if odds < 2.0 ** 60:
            return incomplete_beta(odds / (1 + odds), shape_1, shape_2)
        return 1 - incomplete_beta(1 / (1 + odds), shape_2, shape_1)

    constant = (shape_1 + shape_2).lgamma() - shape_1.lgamma() - shape_2.lgamma()

    def log_cdf(y):
        return cdf(y.exp()).log()

    def log_density(y):
        return constant + shape_1 * y - (shape_1 + shape_2) * y.exp().log1p()

    y = (shape_1 / shape_2).log().mid()
    wanted, ctx.prec = ctx.prec, 192                    # first come near, cheaply
    y = newton_from_below(log_cdf, log_density, target, y, tolerance=1e-12)
    ctx.prec = wanted
    y = newton_from_below(log_cdf, log_density, target, y)
    odds = y.exp().mid()
    odds = certified(cdf, odds, target)
    return gamma / n * (odds if lower else 1 / odds)


def gamma_gamma(quantity, p, q, gamma, x, m, n, argument):
    p, n_ = arb(p), None if n is None else arb(n)
    if quantity == "log_likelihood":
        return log_mean_density(p, arb(q), arb(gamma), arb(x), arb(m))
    q_, gamma_ = spend_posterior(p, q, gamma, x, m)
    if quantity == "conditional_mean":
        return p * gamma_ / (q_ - 1)                   # FH13 (5)
    if quantity == "mean_density":
        return log_mean_density(p, q_, gamma_, n_, arb(argument)).exp()
    if quantity == "total_density":
        return log_mean_density(p, q_, gamma_, n_, arb(argument) / n_).exp() / n_
    if quantity == "mean_cdf":
        return spend_cdf(p, q_, gamma_, n_, arb(argument))
    value = spend_quantile(p, q_, gamma_, n_, argument)
    return value if quantity == "mean_quantile" else value * n_


def gamma_gamma_by_integral(quantity, p, q, gamma, x, m, n, argument, value):
    """Densities and means from the definition, an integral over y = ln nu; the distribution function from its
    density; quantiles back through the distribution function. Returns the value and what to compare it with."""
    p = arb(p)
    if quantity == "log_likelihood":
        q_, gamma_, count, mean = arb(q), arb(gamma), arb(x), arb(m)
    else:
        q_, gamma_ = spend_posterior(p, q, gamma, x, m)
        count = arb(1 if n is None else n)
        mean = {"mean_density": lambda: arb(argument), "mean_cdf": lambda: arb(argument),
                "total_density": lambda: arb(argument) / count, "mean_quantile": lambda: value.mid(),
                "total_quantile": lambda: value.mid() / count, "conditional_mean": lambda: None}[quantity]()
    constant = q_ * gamma_.log() - q_.lgamma()
    if quantity in ("log_likelihood", "mean_density", "total_density"):
        shape = p * count
        rate = gamma_ + count * mean
        constant += shape * count.log() + (shape - 1) * mean.log() - shape.lgamma()
        result = log_integral_over_rate(q_ + shape, rate, constant)
        if quantity == "log_likelihood":
            return result, value
        return result.exp() / (count if quantity == "total_density" else 1), value
    if quantity == "conditional_mean":                 # E[p / nu]
        return p * log_integral_over_rate(q_ - 1, gamma_, constant).exp(), value

    body = integral_of_mean_density(p * count, q_, (count * mean / gamma_).log())
    return body, (arb(argument) if quantity.endswith("quantile") else value)


def integral_of_mean_density(shape, other, upper):
    """int_{-inf}^upper of the density of y = ln(n mean / gamma), with Gauss-Legendre panels.

    Its logarithm is, but for a constant, shape y - (shape + other) ln(1 + e^y).
    """
    constant = (shape + other).lgamma() - shape.lgamma() - other.lgamma()
    curvature = float(shape * other / (shape + other))
    length = 115 / float(shape) + 40 / math.sqrt(curvature) + max(0.0, float(upper - (shape / other).log()))
    panels = int(length / min(1.0, 4 / math.sqrt(curvature))) + 1
    width = arb(length) / panels
    total = arb(0)
    for panel in range(panels):
        for node, weight in gauss_legendre(64, ctx.prec):
            y = upper - (panel + (node + 1) / 2) * width
            total += weight * (constant + y * shape - (shape + other) * y.exp().log1p()).exp()
    return total * width / 2


def log_integral_over_rate(shape, rate, constant):
    """ln int exp(constant + shape y - rate e^y) dy, centred at the maximum of the (entire) integrand."""
    centre = (shape / rate).log()
    peak = shape * centre - shape
    body = trapezoid(lambda y: (shape * (y + 1 - y.exp())).exp(), shape, 0)
    return constant + peak + body.log()


def trapezoid(integrand, shape, other_shape):
    """int of a function of y that behaves like exp(shape (y - e^y)): the plain rule converges geometrically."""
    step = min(0.28 / math.sqrt(float(shape + other_shape)), 0.06)
    left, right = 24 / shape.sqrt() + 115 / shape, 24 / shape.sqrt() + (1 + 115 / shape).log()
    total = arb(0)
    for i in range(-int(float(left) / step), int(float(right) / step) + 1):
        total += integrand(arb(i) * step)
    return total * step


# ------------------------------------------------------------------------------------------
# Second formulas, one-dimensional
# ------------------------------------------------------------------------------------------

def pareto_dropout_time(par, history):
    """Dead part of the likelihood as an integral over the dropout time: s int (alpha+u)^-(r+x) (beta+u)^-(s+1) du."""
    r, alpha, s, beta_ = map(arb, par)
    x, t_x, T = history
    n, start_a, start_b = r + x, alpha + t_x, beta_ + t_x

    def integrand(v, analytic):
        return (-n * (start_a + v).log(analytic=analytic) - (s + 1) * (start_b + v).log(analytic=analytic)).exp()

    return s * integral_from_zero(integrand, min(start_a, start_b), arb(T) - t_x)


def likelihood_second(which, model, par, history):
    if model != "pareto-nbd":
        return None                                    # elementary: the double integral is the check
    prefactor, alive, _ = parts(model, par, history)
    dead = pareto_dropout_time(par, history)
    if which == "log_likelihood":
        return (prefactor * (alive + dead)).log()
    return (alive if which == "p_alive" else dead) / (alive + dead)


def over_dropout_probability(now, t, g):
    """E_p[g(p)] for p ~ beta(a, b), in y = ln(p/(1-p)); g gets (p, ln(1 + p t/alpha)).

    The factor (1 + p t/alpha)^-r in g may move the mass to p of order alpha/t.
    """
    _, alpha, a, b = now
    centre = (a / b).log()
    peak = a * centre - (a + b) * (1 + a / b).log()

    def integrand(y, analytic):
        odds = (y + centre).exp()
        p = odds / (1 + odds)
        if analytic and not (odds.real > -1 and (p * t / alpha).real > -1):
            return acb("nan")
        log_density = a * (y + centre) - (a + b) * odds.log1p() - peak
        return log_density.exp() * g(p, (p * t / alpha).log1p())

    spread = (1 / a + 1 / b).sqrt()
    low, high = -(24 * spread + 100 / a + (t / alpha).log1p()), 24 * spread + 100 / b
    return integral(integrand, low, high) * peak.exp() / beta(a, b)


def small_dropout_shape(now, least=0.3):
    """Tails in y = ln(p/(1-p)) too long for the check; the double integral covers these rows."""
    return not min(now[2:]) > least


def expected_second(model, par, history, t):
    """Pareto: int_0^t r/alpha (beta/(beta+u))^s du. BG: E_p[(1 - (1 + p tau)^-r) / p]."""
    t = arb(t)
    now = given_alive(model, par, history)
    if model == "nbd":
        return None
    if model == "pareto-nbd":
        r, alpha, s, beta_ = now
        value = integral_from_zero(lambda u, an: power(beta_ / (beta_ + u), s, an), beta_, t) * r / alpha
    else:
        if small_dropout_shape(now):
            return None
        r = now[0]
        value = over_dropout_probability(now, t, lambda p, log_growth: -(-r * log_growth).expm1() / p)
    return p_alive(model, par, history) * value


def variance_second(model, par, history, t):
    """E[N^2] - E[N]^2 with E[N(N-1)] from an integral over time (Pareto) or over p (BG)."""
    t = arb(t)
    now = given_alive(model, par, history)
    if model == "nbd":
        return None
    if model == "pareto-nbd":
        r, alpha, s, beta_ = now
        factorial = 2 * r * (r + 1) / alpha ** 2 * integral_from_zero(
            lambda u, an: u * power(beta_ / (beta_ + u), s, an), beta_, t)
    else:
        if small_dropout_shape(now, 0.6):
            return None
        r, alpha = now[:2]

        def g(p, log_growth):
            first = -(-r * log_growth).expm1() - r * p * t / alpha * (-(r + 1) * log_growth).exp()
            return 2 * (1 - p) * first / p ** 2

        factorial = over_dropout_probability(now, t, g)
    mean = expected_second(model, par, history, t)
    return p_alive(model, par, history) * factorial + mean - mean ** 2


def survival_by_arrival(model, par, history, t, n):
    """P(N > n) = int_0^t density of the time of purchase n+1 times P(no dropout so far)."""
    t = arb(t)
    now = given_alive(model, par, history)
    r, alpha = now[:2]
    if model == "pareto-nbd":
        return p_alive(model, par, history) * pareto_survival(*now, n, t)
    arrival = arrival_integral(n, lambda w, an: (1 - w).log(analytic=an) * (r - 1), t / (alpha + t), r) / beta(n + 1, r)
    if model != "nbd":
        a, b = now[2:]
        arrival *= b.rising(n) / (a + b).rising(n)
    return p_alive(model, par, history) * arrival


def pmf_second(model, par, history, t, n):
    """P(N > n-1) - P(N > n), each from the time of a purchase."""
    n = int(n)
    if n == 0:
        return 1 - survival_by_arrival(model, par, history, t, 0)
    return survival_by_arrival(model, par, history, t, n - 1) - survival_by_arrival(model, par, history, t, n)


def survival_second(model, par, history, t, n):
    """Pareto: 1 - sum of the probabilities (FH05) of at most n purchases. BG, MBG, NBD: from the time of purchase n+1."""
    if model != "pareto-nbd":
        return survival_by_arrival(model, par, history, t, n)
    if n > 10:
        return None
    return 1 - sum((pmf(model, par, history, t, k) for k in range(int(n) + 1)), arb(0))


def discounted_second(model, par, history, t, delta):
    """Pareto, NBD: the defining integral.

    BG: by parts, e^(-delta t) E[X(t)] + delta int e^(-delta u) E[X(u)] du with FHL05 (9).
    """
    if delta == 0:
        return None if t == INF else expected_second(model, par, history, t)
    now = given_alive(model, par, history)
    delta = arb(delta)
    high = effective_horizon(t, delta)
    alive = p_alive(model, par, history)
    if model == "nbd":
        r, alpha = now
        return alive * r / alpha * integral(lambda u, _: (-delta * u).exp(), 0, high)
    if model == "pareto-nbd":
        r, alpha, s, beta_ = now
        return alive * r / alpha * integral_from_zero(
            lambda u, an: (-delta * u).exp() * power(beta_ / (beta_ + u), s, an), beta_, high)
    if par[2] == 1.0:
        return None
    inner = panel_integral_from_zero(lambda u: (-delta * u).exp() * bg_expected(*now, u), now[1], high)
    return alive * ((-delta * high).exp() * bg_expected(*now, high) + delta * inner)


def p_alive_later_second(model, par, history, t):
    """BG: E_p[(1 + p tau)^-r]. Pareto: E_mu[e^(-mu t)], integrated over ln mu."""
    if model == "nbd":
        return None
    now = given_alive(model, par, history)
    if model == "pareto-nbd":
        s, beta_ = now[2:]
        if s < 0.2:
            return None
        later = (log_integral_over_rate(s, beta_ + t, s * beta_.log() - s.lgamma())).exp()
    else:
        if small_dropout_shape(now):
            return None
        later = over_dropout_probability(now, arb(t), lambda _, log_growth: (-now[0] * log_growth).exp())
    return p_alive(model, par, history) * later


# ------------------------------------------------------------------------------------------
# The definition: a single customer with known lambda and p (or mu), averaged over the prior
# ------------------------------------------------------------------------------------------

STEP = 1 / 12
GENTLE = 8      # how many units of ln(lambda) or logit(p) pass before the nodes spread out (exponentially)


def gamma_nodes(shape, rate, scale, bound):
    """Nodes for a gamma prior, in w with ln(lambda scale) = w - 8 e^(-w/8).

    [(lambda, weight * density)]; `bound`, the largest factor that may follow, decides what to keep.
    """
    nodes = []
    top = GENTLE + math.ceil(max(6.0, math.log(200 * float(scale / rate))))
    for i in range(-90 * 12, top * 12):
        w = arb(i) * STEP
        log_value = w - GENTLE * (-w / GENTLE).exp() - scale.log()
        value = log_value.exp()
        density = (shape * log_value - rate * value + shape * rate.log() - shape.lgamma()).exp()
        nodes.append((value, density * (1 + (-w / GENTLE).exp()) * STEP, bound(value)))
    return trimmed(nodes)


def beta_nodes(a, b, bound):
    """Nodes for a beta prior, in w with ln(p/(1-p)) = 8 sinh(w/8): [((p, 1-p), weight * density)]."""
    nodes = []
    for i in range(-90 * 12, 90 * 12 + 1):
        w = arb(i) * STEP
        logit = GENTLE * (w / GENTLE).sinh()
        p, complement = 1 / (1 + (-logit).exp()), 1 / (1 + logit.exp())
        density = (a * p.log() + b * complement.log()).exp() / beta(a, b)
        nodes.append(((p, complement), density * (w / GENTLE).cosh() * STEP, bound(p, complement)))
    return trimmed(nodes)


def trimmed(nodes):
    """Without balls' radii (they would only grow) and without nodes of no weight."""
    largest = max((weight * bound).mid() for _, weight, bound in nodes)
    point = lambda v: tuple(c.mid() for c in v) if isinstance(v, tuple) else v.mid()
    return [(point(v), w.mid()) for v, w, bound in nodes if (w * bound).mid() > largest * 1e-27]


def erlang_cdf(m, y):
    """P(purchase m of a Poisson process comes before its mean count is y)."""
    if m == 0:
        return arb(1)
    term, total = arb(1), arb(1)
    for j in range(1, m):
        term = term * y / j
        total += term
    return 1 - (-y).exp() * total


def poisson(n, y):
    return (-y).exp() * y ** n / arb(n + 1).gamma()


def second_order(y):
    """1 - (1 + y) e^-y, for tiny y by its series."""
    if y < 2.0 ** -30:
        return y ** 2 * (arb(1) / 2 - y / 3 + y ** 2 / 8 - y ** 3 / 30)
    return 1 - (1 + y) * (-y).exp()


def bg_individual(quantity, lam, pq, t, extra):
    """Future of a BG or MBG customer alive now, lambda and p known. FHL05 (4), (5) and their likes."""
    p, q = pq
    if quantity == "expected_purchases":
        return -(-lam * p * t).expm1() / p
    if quantity == "second_factorial":
        return 2 * q * second_order(p * lam * t) / p ** 2
    if quantity == "pmf":
        alive = q ** extra * poisson(extra, lam * t)
        return alive if extra == 0 else alive + p * q ** (extra - 1) * erlang_cdf(extra, lam * t)
    if quantity == "survival_of_count":
        return q ** extra * erlang_cdf(extra + 1, lam * t)
    if quantity == "discounted":
        rate = extra + lam * p
        return lam / rate * (1 if t is None else -(-rate * t).expm1())
    return (-lam * p * t).exp()                        # p_alive_later


def pareto_individual(quantity, lam, mu, t, extra):
    """Future of a Pareto/NBD customer alive now, lambda and mu known."""
    if quantity == "expected_purchases":
        return -lam * (-mu * t).expm1() / mu
    if quantity == "second_factorial":
        return 2 * lam ** 2 * second_order(mu * t) / mu ** 2
    both = lam + mu
    if quantity == "pmf":
        return ((-mu * t).exp() * poisson(extra, lam * t)
                + (lam / both) ** extra * mu / both * erlang_cdf(extra + 1, both * t))
    if quantity == "survival_of_count":
        return (lam / both) ** (extra + 1) * erlang_cdf(extra + 1, both * t)
    if quantity == "discounted":
        rate = extra + mu
        return lam / rate * (1 if t is None else -(-rate * t).expm1())
    return (-mu * t).exp()


def double_integral(model, par, history, quantity=None, t=None, extra=None):
    """(alive part, dead part, alive part weighted with the individual's future), each integrated over the prior."""
    ctx.prec = 224
    x, t_x, T = history[0], arb(history[1]), arb(history[2])
    r, alpha, *rest = map(arb, par)
    t = None if t is None or t == INF else arb(t)
    extra = arb(extra) if quantity == "discounted" else None if extra is None else int(extra)
    lams = gamma_nodes(r, alpha, alpha + T, lambda lam: lam ** x * (-lam * t_x).exp())
    alive_lams = [(lam, w * lam ** x * (-lam * T).exp()) for lam, w in lams]
    if model == "nbd":
        rest, one = (1,), [((arb(0), arb(1)), arb(1))]
        alive_rest, dead = one, arb(0)
    elif model == "pareto-nbd":
        s, beta_ = rest
        mus = gamma_nodes(s, beta_, beta_ + T, lambda mu: (-mu * t_x).exp())
        alive_rest = [(mu, w * (-mu * T).exp()) for mu, w in mus]
        gap = T - t_x
        dead = arb(0) if gap == 0 else sum(
            (w * v * lam ** x * mu / (lam + mu) * (-(lam + mu) * t_x).exp() * -(-(lam + mu) * gap).expm1()
             for lam, w in lams for mu, v in mus), arb(0))
    else:
        a, b = rest
        k = x + (model == "mbg-nbd")
        ps = beta_nodes(a, b, lambda p, q: q ** max(k - 1, 0))
        alive_rest = [(pq, v * pq[1] ** k) for pq, v in ps]
        dead = arb(0)
        if k > 0:
            dead = (sum((v * p * q ** (k - 1) for (p, q), v in ps), arb(0))
                    * sum((w * lam ** x * (-lam * t_x).exp() for lam, w in lams), arb(0)))
    alive = sum((w for _, w in alive_lams), arb(0)) * sum((v for _, v in alive_rest), arb(0))
    future = None
    if quantity is not None:
        individual = pareto_individual if model == "pareto-nbd" else bg_individual
        if model == "nbd":
            individual = nbd_individual
        future = arb(0)
        lams = [(lam, w, float(w)) for lam, w in alive_lams]
        enough = 1e-27 * max(w for _, _, w in lams) * float(max(v for _, v in alive_rest))
        for theta, v in alive_rest:
            needed = enough / float(v) if float(v) > 0 else INF
            inner = sum((w * individual(quantity, lam, theta, t, extra) for lam, w, size in lams if size > needed), arb(0))
            future += v * inner.mid()
    return alive, dead, future


def nbd_individual(quantity, lam, _, t, extra):
    if quantity == "expected_purchases":
        return lam * t
    if quantity == "second_factorial":
        return (lam * t) ** 2
    if quantity == "pmf":
        return poisson(extra, lam * t)
    if quantity == "survival_of_count":
        return erlang_cdf(extra + 1, lam * t)
    if quantity == "discounted":
        return lam / extra * (1 if t is None else -(-extra * t).expm1()) if extra != 0 else lam * t
    return arb(1)


def by_definition(table, model, par, history, args, value):
    """(the table's quantity from the double integral, what to compare it with)."""
    if table in ("log_likelihood", "p_alive", "p_dead"):
        alive, dead, _ = double_integral(model, par, history)
        total = alive + dead
        return {"log_likelihood": total.log(), "p_alive": alive / total, "p_dead": dead / total}[table], value
    if table == "variance":
        alive, dead, mean = double_integral(model, par, history, "expected_purchases", args[0])
        _, _, factorial = double_integral(model, par, history, "second_factorial", args[0])
        total = alive + dead
        return factorial / total + mean / total - (mean / total) ** 2, value
    if table == "next_purchase_quantile":
        alive, dead, future = double_integral(model, par, history, "survival_of_count", float(value), 0)
        # the float is not the value: first order correction by the density of the definition
        return future / (alive + dead), sharp(survival_of_count, model, par, history, float(value), 0)
    alive, dead, future = double_integral(model, par, history, table, *args)
    if table == "pmf" and args[1] == 0:
        future += dead
    return future / (alive + dead), value


def definition_applies(table, model, par, history, args):
    """Rows whose integrands the plain double-exponential rule resolves."""
    shapes = [par[0] + history[0], *par[2:3]] + ([par[3] + history[0]] if model in ("bg-nbd", "mbg-nbd") else [])
    if max(shapes) > 15 or min(par) < 1e-3 or history[1] > 0 and (history[2] - history[1]) < 1e-3 * history[2]:
        return False
    if sharp(p_alive, model, par, history) < 1e-6:
        return False
    if table in ("pmf", "survival_of_count"):
        return args[1] <= 4 and args[0] >= 1
    return args[0] >= 1 if table == "variance" else True


# ------------------------------------------------------------------------------------------
# Points
# ------------------------------------------------------------------------------------------

MODERATE = {
    "bg-nbd": (0.243, 4.414, 0.793, 2.426),
    "mbg-nbd": (0.525, 6.183, 0.891, 1.614),
    "pareto-nbd": (0.553, 10.578, 0.606, 11.669),
    "nbd": (0.385, 12.07),
}

BG_TROUBLE = [
    (0.243, 4.414, 1.0, 2.426), (0.243, 4.414, 1.00000001, 2.426), (0.243, 4.414, 0.99999999, 2.426),
    (0.5, 10.0, 0.2, 0.3), (0.5, 10.0, 0.5, 0.5), (1.0, 1.0, 1.0, 1.0), (0.001, 4.414, 0.793, 2.426),
    (0.243, 4.414, 0.001, 2.426), (0.243, 4.414, 0.793, 0.001), (0.001, 0.001, 0.001, 0.001),
    (100.0, 1000.0, 0.793, 2.426), (0.243, 4.414, 100.0, 100.0), (100.0, 0.01, 100.0, 0.5),
    (0.243, 0.001, 0.793, 2.426), (0.243, 10000.0, 0.793, 2.426), (2.0, 10.0, 2.0, 3.0),
    (0.243, 4.414, 2.00000001, 2.426), (50.0, 4.0, 0.05, 100.0), (1.5, 20.0, 3.0, 0.01),
]

TROUBLE = {
    "bg-nbd": BG_TROUBLE,
    "mbg-nbd": BG_TROUBLE,
    "pareto-nbd": [
        (0.553, 10.578, 1.0, 11.669), (0.553, 10.578, 1.00000001, 11.669), (0.553, 10.578, 0.99999999, 11.669),
        (0.553, 10.0, 0.606, 10.0), (0.553, 1.0, 0.606, 10000.0), (0.553, 10000.0, 0.606, 1.0),
        (0.553, 10.578, 0.001, 11.669), (0.001, 10.578, 0.606, 11.669), (0.001, 1.0, 0.001, 1.0),
        (100.0, 1000.0, 0.606, 11.669), (0.553, 10.578, 100.0, 1000.0), (100.0, 100.0, 100.0, 100.0),
        (0.553, 10.578, 2.0, 11.669), (0.553, 10.578, 2.00000001, 11.669), (0.553, 0.05, 0.606, 500.0),
        (2.0, 1000.0, 50.0, 0.1), (1.0, 10.0, 1.0, 10.0), (0.553, 10.0, 0.606, 10.0000001),
        (20.0, 5.0, 0.001, 50000.0),
    ],
    "nbd": [(0.001, 1.0), (1.0, 1.0), (100.0, 1000.0), (0.385, 0.001), (0.385, 10000.0), (0.001, 0.001), (100.0, 0.01)],
}

COUNTS = (0, 1, 2, 7, 29, 100, 1000, 10000)
HORIZONS = (1e-6, 1.0, 39.0, 365.0, 1e4)


def rounded(value, figures=4):
    return float(f"{value:.{figures}g}")


def moderate_point(model, rng, number):
    """Fitted parameters of the CDNOW data and variations up to a factor of ten; weeks of observation."""
    spread = 0.0 if number % 8 == 0 else 1.0
    par = tuple(rounded(v * 10 ** (spread * rng.uniform(-1, 1))) for v in MODERATE[model])
    age = rounded(rng.uniform(2.0, 78.0))
    x = min(int(rng.expovariate(0.25)), 60)
    return par, (x, rounded(age * rng.uniform(0.05, 1.0)) if x else 0.0, age)


def trouble_point(model, rng, number, x_max):
    """Edges of the domain: removable singularities, tiny and huge shapes, T = t_x, T - t_x = 1e-9 T."""
    sets = TROUBLE[model]
    par = sets[number % len(sets)]
    if rng.random() < 0.08:
        return par, (0, 0.0, 0.0)
    x = rng.choice([c for c in COUNTS if c <= x_max])
    age = rng.choice((0.5, 7.0, 39.0, 104.57, 1000.0, 5000.0))
    if x == 0:
        return par, (0, 0.0, age)
    recency = rng.choice((age, age * (1 - 1e-9), age * 0.999, age * 0.7, age * 0.1, age * 1e-6))
    return par, (x, recency, age)


def points(table, model, x_max):
    """Endless, seeded: alternately moderate and troublesome (parameters, history), with the generator for the arguments."""
    rng = random.Random(f"{table}/{model}")
    number = 0
    while True:
        for trouble in (False, True):
            par, history = (trouble_point(model, rng, number, x_max) if trouble
                            else moderate_point(model, rng, number))
            yield par, history, rng, trouble
        number += 1


# -- arguments of each table: a tuple, or None to draw another point ---------------------------

def no_arguments(model, par, history, rng):
    return ()


def horizon(model, par, history, rng):
    return (rng.choice(HORIZONS),)


def horizon_and_count(model, par, history, rng):
    t = rng.choice(HORIZONS)
    mean = float(sharp(expected_purchases, model, par, history, t))
    n = rng.choice((0, 1, 2, 3, 5, 10, 30, 100, 300, int(mean), int(mean * 1.5) + 1, int(mean * 3) + 2))
    return (t, n) if n <= 400 else None


def horizon_and_rate(model, par, history, rng):
    t = rng.choice(HORIZONS + (INF, INF, INF))
    delta = rng.choice((0.0, 1e-6, 0.0018, 0.0027, 0.01, 0.1, 1.0))
    if t == INF and delta == 0.0 and (model == "nbd" or not par[2] > 1.0):
        return None
    return t, delta


def probability(model, par, history, rng):
    ever = float(sharp(p_ever, model, par, history))
    share = rng.choice((1e-9, 1e-3, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.9999))
    q = rounded(ever * share, 6)
    return (q,) if 1e-200 < q < ever else None


# name: (formula, columns of the arguments, arguments, second formula, largest x)
TABLES = {
    "log_likelihood": (log_likelihood, (), no_arguments, lambda *a: likelihood_second("log_likelihood", *a), 10000),
    "p_alive": (p_alive, (), no_arguments, lambda *a: likelihood_second("p_alive", *a), 10000),
    "p_dead": (p_dead, (), no_arguments, lambda *a: likelihood_second("p_dead", *a), 10000),
    "expected_purchases": (expected_purchases, ("t",), horizon, expected_second, 10000),
    "discounted": (discounted, ("t", "delta"), horizon_and_rate, discounted_second, 1000),
    "p_alive_later": (p_alive_later, ("t",), horizon, p_alive_later_second, 10000),
    "variance": (variance, ("t",), horizon, variance_second, 1000),
    "pmf": (pmf, ("t", "n"), horizon_and_count, pmf_second, 1000),
    "survival_of_count": (survival_of_count, ("t", "n"), horizon_and_count, survival_second, 1000),
    "next_purchase_quantile": (next_purchase_quantile, ("q",), probability,
                               lambda *a: None, 10000),
}


def quantile_second(model, par, history, args, value):
    """The chance of a purchase before the quantile, from an integral over the time of that purchase."""
    now = given_alive(model, par, history)
    r, alpha = now[:2]
    dropout = (lambda u, an: power(now[3] / (now[3] + u), now[2], an)) if model == "pareto-nbd" else (lambda u, an: 1)
    chance = integral_from_zero(lambda u, an: power(alpha / (alpha + u), r + 1, an) * dropout(u, an), alpha, value.mid())
    return p_alive(model, par, history) * chance * r / alpha, arb(args[0])


# ------------------------------------------------------------------------------------------
# Writing and checking
# ------------------------------------------------------------------------------------------

def log(*words):
    print(*words, file=sys.stderr, flush=True)


def text(value):
    """An input as the shortest decimal that reads back as the same double."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return "inf" if value == INF else repr(value)


class Worst:
    """Worst relative difference and number of comparisons; stops the run above the tolerance."""

    def __init__(self, name, tolerance):
        self.name, self.tolerance, self.count, self.worst = name, tolerance, 0, 0.0

    def compare(self, value, other, row):
        difference = relative_difference(value, other)
        assert difference < self.tolerance, f"{self.name} {row}: {digits(value)} against {other.str(40)}"
        self.count, self.worst = self.count + 1, max(self.worst, difference)

    def __str__(self):
        return f"{self.name}: {self.count} rows, worst relative difference {self.worst:.1e}"


def evenly(rows, number):
    """About `number` of the rows, evenly spread."""
    return rows[:: max(1, len(rows) // number)] if rows else []


def purchase_table(table):
    formula, columns, arguments, second, x_max = TABLES[table]
    started = time.process_time()
    rows, drawn_anew = [], 0
    for model in MODELS:
        wanted = {False: ROWS_PER_MODEL // 2, True: ROWS_PER_MODEL // 2}
        for par, history, rng, trouble in points(table, model, x_max):
            if not any(wanted.values()):
                break
            if not wanted[trouble]:
                continue
            args = arguments(model, par, history, rng)
            if args is None:
                continue
            begun = time.process_time()
            value = sharp(formula, model, par, history, *args)
            if time.process_time() - begun > 5:
                log(f"    slow ({time.process_time() - begun:.1f} s): {model} {par} {history} {args}")
            if value != 0 and table != "log_likelihood" and not SMALLEST < abs(value) < 1e300:
                drawn_anew += 1
                continue
            wanted[trouble] -= 1
            rows.append((model, par, history, args, value))
    write(f"{table}.csv", ["model", "p1", "p2", "p3", "p4", "x", "t_x", "T", *columns, "value"],
          [[m, *map(text, (p + (None, None))[:4]), *map(text, h), *map(text, a), digits(v)] for m, p, h, a, v in rows])
    log(f"{table}: {len(rows)} rows, {drawn_anew} drawn anew, {time.process_time() - started:.0f} s")
    check_purchase_table(table, formula, second, rows)
    log(f"    with checks {time.process_time() - started:.0f} s")


def check_purchase_table(table, formula, second, rows):
    tight, definition = Worst("second formula", TIGHT), Worst("double integral", DOUBLE)
    for model, par, history, args, value in rows[::3]:
        row = (model, par, history, args)
        if table == "next_purchase_quantile":
            chance, q = sharp_pair(quantile_second, model, par, history, args, value)
            tight.compare(q, chance, row)
            continue
        if history == (0, 0.0, 0.0) and table == "log_likelihood" or value == 0:
            continue
        begun = time.process_time()
        other = sharp(second, model, par, history, *args)
        if other is not None:
            tight.compare(value, other, row)
        if time.process_time() - begun > 5:
            log(f"    slow check ({time.process_time() - begun:.1f} s): {row}")
    for model in MODELS:
        eligible = [r for r in rows if r[0] == model and (1e-6 < abs(r[4]) < 1e5 or table == "discounted")
                    and definition_applies(table, *r[:4])]
        for _, par, history, args, value in evenly(eligible, 6)[:6]:
            other, own = by_definition(table, model, par, history, args, value)
            definition.compare(own, other, (model, par, history, args))
    assert tight.count + definition.count >= 20
    log(f"    {tight}")
    log(f"    {definition}")


def sharp_pair(formula, *args):
    """As `sharp`, for a function that also returns what its first value is to be compared with."""
    partner = []

    def first():
        value, other = formula(*args)
        partner[:] = [other]
        return value

    return sharp(first), partner[0]


def gamma_gamma_table():
    started = time.process_time()
    rng = random.Random("gamma_gamma")
    rows = []
    quantities = ("log_likelihood", "conditional_mean", "mean_density", "mean_cdf", "mean_quantile",
                  "total_density", "total_quantile")
    shapes = [(6.25, 3.74, 15.44)] + [None] * 7 + [
        (0.5, 0.3, 2.0), (0.001, 2.0, 10.0), (2.0, 0.001, 10.0), (1e4, 3.74, 15.44), (6.25, 1e4, 15.44e3), (1e5, 1e5, 1.0),
        (6.25, 1.0, 15.44), (6.25, 1.00000001, 15.44)]
    for quantity in quantities:
        number = kept = 0
        while kept < 2 * (ROWS_PER_MODEL // 2):
            shape = shapes[number % len(shapes)]
            trouble = number % len(shapes) >= 8
            number += 1
            p, q, gamma = shape or (rounded(6.25 * 10 ** rng.uniform(-1, 1)), rounded(3.74 * 10 ** rng.uniform(-1, 1)),
                                    rounded(15.44 * 10 ** rng.uniform(-1, 1)))
            x = rng.choice((0, 1, 2, 7, 29, 1000, 100000) if trouble else (0, 1, 1, 2, 2, 3, 5, 7, 12, 29))
            if x == 0 and quantity == "log_likelihood":
                continue
            scale = p * gamma / max(q, 0.5)
            m = rounded(scale * math.exp(rng.gauss(0, 0.5))) if x else 0.0
            if quantity == "conditional_mean" and arb(p) * x + q <= 1:
                continue
            n = None if quantity in ("log_likelihood", "conditional_mean") else rng.choice((1, 2, 5, 12, 100))
            argument = None
            if quantity.endswith("quantile"):
                argument = rng.choice((1e-9, 0.001, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.999, 0.999999))
            elif n is not None:
                # around the middle of the predictive distribution and well into its tails
                shape_after, rate_after = q + p * x, gamma + x * m
                width = min(math.sqrt(1 / (p * n) + 1 / shape_after), 3.0)
                middle = p * rate_after / shape_after * math.exp(width * rng.choice((-6, -2, -1, 0, 0.5, 1, 3, 8)))
                argument = rounded(middle * (n if quantity == "total_density" else 1), 6)
            begun = time.process_time()
            row = (quantity, p, q, gamma, x, m, n, argument)
            value = sharp(gamma_gamma, *row)
            if time.process_time() - begun > 5:
                log(f"    slow ({time.process_time() - begun:.1f} s): {row}")
            if quantity != "log_likelihood" and not SMALLEST < abs(value) < 1e300:
                continue
            kept += 1
            rows.append((row, value))
    write("gamma_gamma.csv", ["quantity", "p", "q", "gamma", "x", "m", "n", "arg", "value"],
          [[row[0], *map(text, row[1:]), digits(value)] for row, value in rows])
    log(f"gamma_gamma: {len(rows)} rows, {time.process_time() - started:.0f} s")
    for quantity in quantities:
        worst = Worst(f"{quantity}, second formula", TIGHT)
        for row, value in evenly([r for r in rows if r[0][0] == quantity], 40):
            if quantity in ("mean_cdf", "mean_quantile", "total_quantile") and not (
                    row[1] * row[6] >= 0.2):
                continue                                # the same at the other end
            if row[2] + row[1] * row[4] < (1.2 if quantity == "conditional_mean" else 0.2):
                continue                                # too long a tail in ln(nu)
            if value != 0:
                other, own = sharp_pair(lambda: gamma_gamma_by_integral(*row, value))
                worst.compare(own, other, row)
        assert worst.count >= 20, worst.count
        log(f"    {worst}")
    log(f"    with checks {time.process_time() - started:.0f} s")


def check_implementation():
    """Arb against mpmath, an independent implementation of 2F1: Pareto A0 and BG expectation, 24 points each."""
    worst = Worst("Arb 2F1 against mpmath 2F1", 1e-35)
    mpmath.mp.dps = 60
    for model in ("bg-nbd", "pareto-nbd"):
        stream = points("mpmath", model, 29)
        for _ in range(24):
            par, (x, t_x, T), _, _ = next(stream)
            r, alpha, third, fourth = map(mpmath.mpf, par)
            T = T or 1.0
            ctx.prec = 300
            if model == "bg-nbd":
                args = (r + x, fourth + x + 1, third + fourth + x, mpmath.mpf(T) / (alpha + T))
            elif alpha >= fourth:
                args = (r + third + x, third + 1, r + third + x + 1, (alpha - fourth) / (alpha + t_x))
            else:
                args = (r + third + x, r + x, r + third + x + 1, (fourth - alpha) / (fourth + t_x))
            a, b, c, z = (arb(mpmath.nstr(v, 58)).mid() for v in args)
            worst.compare(hyp2f1(a, b, c, z), arb(mpmath.nstr(mpmath.hyp2f1(*args), 50)).mid(), args)
    log(f"{worst}")


def write(name, header, rows):
    with open(HERE / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main():
    chosen = sys.argv[1:] or [*TABLES, "gamma_gamma"]
    check_implementation()
    for table in chosen:
        if table == "gamma_gamma":
            gamma_gamma_table()
        else:
            purchase_table(table)


if __name__ == "__main__":
    main()
