#!/usr/bin/env python3
"""The same fits and scores by the Python package lifetimes and by clv, in the same run, on one core; prints CPU times and their ratios.

    cargo build --release --features cli
    cargo bench --no-run --features csv --bench fit_times
    python -m venv /tmp/lifetimes && /tmp/lifetimes/bin/pip install lifetimes==0.11.3 'pandas<3'
    /tmp/lifetimes/bin/python benches/compare_lifetimes.py [--clv target/release/clv] [--customers 100000] [--models bg-nbd,pareto-nbd]

The customers are those of `clv simulate`. A call is held against a call, on columns that are in memory; what the whole command of clv takes, with reading and writing
its files, stands beside it. Without Python's lifetimes or without the programs there is a message and nothing to compare.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

END = "1997-09-30"
HORIZON_WEEKS = 52.0
PARAMETERS = "r=0.553,alpha=10.578,s=0.606,beta=11.669"


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def of_clv(program, *arguments):
    """CPU seconds of a command on one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, *arguments, "--threads", "1", "--quiet"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def of_python(call):
    """The result of a call, and its CPU seconds."""
    before = time.process_time()
    result = call()
    return result, time.process_time() - before


def main():
    parser = argparse.ArgumentParser(description="lifetimes against clv")
    parser.add_argument("--clv", default="target/release/clv")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--models", default="bg-nbd,pareto-nbd")
    options = parser.parse_args()
    program = os.path.abspath(options.clv)
    if not os.access(program, os.X_OK):
        skip(f"there is no program {program}; build it by cargo build --release --features cli")
    # Without the feature parallel: the calls have one thread.
    calls = ["cargo", "bench", "--quiet", "--features", "csv", "--bench", "fit_times", "--"]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # Before numpy is there: one thread for its libraries, too.
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[library] = "1"
    try:
        import lifetimes
        import pandas
    except ImportError as error:
        skip(f"Python has no {error.name}; pip install lifetimes==0.11.3 'pandas<3'")
    fitters = {"bg-nbd": lifetimes.BetaGeoFitter, "pareto-nbd": lifetimes.ParetoNBDFitter}

    rows = []
    with tempfile.TemporaryDirectory() as place:
        customers = os.path.join(place, "customers.csv")
        of_clv(
            program, "simulate", "--model", "pareto-nbd", "--params", PARAMETERS, "--customers", str(options.customers), "--start", "1997-01-01",
            "--horizon", "39 weeks", "--acquisition", "84 days", "--spend", "p=6.25,q=3.74,gamma=15.44", "--seed", "1", "--summary", "-o", customers,
        )
        table = pandas.read_csv(customers)
        x, t_x, age = table["frequency"], table["recency"], table["age"]
        for name in options.models.split(","):
            model = os.path.join(place, f"{name}.json")
            said = subprocess.run([*calls, customers, name], check=True, cwd=root, stdout=subprocess.PIPE, text=True).stdout
            fit_call, score_call = (float(seconds) for seconds in re.findall(r"([0-9.]+) s\b", said))
            ours = of_clv(program, "fit", customers, "--model", name, "--spend", "none", "--observation-end", END, "-o", model)
            fitter, theirs = of_python(lambda: fitters[name](penalizer_coef=0.0).fit(x, t_x, age))
            rows.append((f"{name}: fit", theirs, fit_call, ours))

            def scores():
                alive = fitter.conditional_probability_alive(x, t_x, age)
                return alive, fitter.conditional_expected_number_of_purchases_up_to_time(HORIZON_WEEKS, x, t_x, age)

            _, theirs = of_python(scores)
            flags = ["--observation-end", END, "--horizon", f"{HORIZON_WEEKS:.0f} weeks", "--no-intervals", "-o", os.path.join(place, "scores.parquet")]
            rows.append((f"{name}: P(alive) and expected purchases", theirs, score_call, of_clv(program, "score", customers, "--model", model, *flags)))

    print(f"{options.customers:,} customers, seconds on one core; lifetimes {lifetimes.__version__}")
    print(f"{'':45} {'lifetimes':>10} {'clv, call':>10} {'ratio':>8} {'clv, command':>13} {'ratio':>8}")
    for what, theirs, call, command in rows:
        print(f"{what:45} {theirs:10.3f} {call:10.5f} {theirs / call:7.0f}x {command:13.3f} {theirs / command:7.1f}x")


main()
