#!/usr/bin/env python3
"""The summaries of docs/sql/*.sql against those of `clv summarize`: every customer, every column.

    cargo build --features cli
    python3 -m venv target/sql && target/sql/bin/pip install duckdb sqlglot
    target/sql/bin/python tests/sql/compare_summaries.py [--clv target/debug/clv] [--psql "psql -d scratch"] [--spark]

DuckDB runs its file as it is. The files for the other engines are translated into DuckDB's dialect by sqlglot, where it is installed; with --psql and --spark
the engines themselves run theirs. Counts, dates and times must be equal to the last bit, money within 1e-12 of itself: SQL sums decimals, clv doubles.
"""

import argparse
import csv
import math
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
END = "1997-09-30"
MONEY = 1e-12


def nasty_log(path):
    """Ties, several rows a day, free purchases, refunds of every kind, times of day, rows after the end; few amounts, so that sums meet exactly."""
    draw = random.Random(20260101)
    amounts = ["0", "0.00", "0.10", "0.20", "0.30", "5", "19.99", "100.05"]
    rows = []
    for number in range(3000):
        customer = f"K-{number:04}" if number % 7 else f"Ünal, \"{number}\""
        for _ in range(draw.randint(1, 12)):
            day = draw.randint(1, 20) if draw.random() < 0.9 else draw.randint(21, 45)
            date = f"1997-09-{day:02}" if day <= 30 else f"1997-10-{day - 30:02}"
            time = draw.choice(["", "T00:00:00", " 23:59:59", "T14:05:00"])
            sign = "-" if draw.random() < 0.3 else ""
            amount = draw.choice(amounts)
            rows.append([customer, date + time, sign + amount if float(amount) else amount])
    rows += [["returns-only", "1997-09-05", "-5"], ["later-only", "1997-10-05", "5"], ["binary", "1997-09-01", "0.1"], ["binary", "1997-09-02", "0.2"],
             ["binary", "1997-09-03", "-0.3"], ["last-day", f"{END} 23:59:59", "7"], ["day-after", "1997-09-29", "7"], ["day-after", "1997-10-01T00:00:00", "9"]]
    draw.shuffle(rows)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["customer_id", "date", "amount"], *rows])


def of_clv(program, log, refunds):
    command = [program, "summarize", log, "--observation-end", END, "--refunds", refunds, "--quiet"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout.splitlines()
    return [row(*line) for line in list(csv.reader(lines))[1:]]


def row(customer, first, last, frequency, recency, age, average, total):
    return customer, str(first), str(last), int(frequency), float(recency), float(age), float(average), float(total)


def query(dialect, refunds):
    text = (ROOT / "docs" / "sql" / f"{dialect}.sql").read_text(encoding="utf-8")
    # What the document says about --refunds drop.
    return text.replace("    where ", "    where amount >= 0 and ", 1) if refunds == "drop" else text


def duckdb_engine(log):
    import duckdb

    connection = duckdb.connect()
    # Text becomes a day as it is written.
    connection.execute(
        "create table orders as select customer_id, cast(substr(date, 1, 10) as date) as date, cast(amount as decimal(18, 4)) as amount "
        "from read_csv(?, header = true, all_varchar = true)",
        [str(log)],
    )
    return lambda text: [row(*values) for values in connection.execute(text).fetchall()]


def psql_engine(command, log):
    load = (
        "drop table if exists orders; create table orders (customer_id text, date timestamp, amount numeric);\n"
        f"\\copy orders from '{log}' with (format csv, header)\n"
    )

    def run(text):
        script = load + "copy (" + text + ") to stdout with (format csv);"
        output = subprocess.run([*command.split(), "-q", "-v", "ON_ERROR_STOP=1"], input=script, check=True, capture_output=True, text=True, encoding="utf-8")
        return [row(*line) for line in csv.reader(output.stdout.splitlines())]

    return run


def spark_engine(log):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    orders = spark.read.csv(str(log), header=True, escape='"').selectExpr("customer_id", "to_date(substr(date, 1, 10)) as date", "cast(amount as decimal(18, 4)) as amount")
    orders.createOrReplaceTempView("orders")
    return lambda text: [row(*values) for values in spark.sql(text).collect()]


def compare(what, theirs, ours):
    """How many rows differ; the first of them is shown."""
    order = lambda summary: sorted(summary, key=lambda customer: customer[0].encode())
    theirs, ours = order(theirs), order(ours)
    same = lambda a, b: a[:6] == b[:6] and all(math.isclose(x, y, rel_tol=MONEY, abs_tol=0.0) for x, y in zip(a[6:], b[6:]))
    wrong = [(a, b) for a, b in zip(theirs, ours) if not same(a, b)]
    if len(theirs) != len(ours):
        wrong.append((f"{len(theirs)} customers", f"{len(ours)} customers"))
    print(f"{'equal  ' if not wrong else 'DIFFERS'} {what}: {len(ours)} customers")
    for a, b in wrong[:1]:
        print(f"    SQL {a}\n    clv {b}\n    and {len(wrong) - 1} more")
    return len(wrong)


def main():
    parser = argparse.ArgumentParser(description="summaries by SQL against clv summarize")
    parser.add_argument("--clv", default=str(ROOT / "target" / "debug" / "clv"))
    parser.add_argument("--psql", help="a psql command with a scratch database in which the table orders may be replaced")
    parser.add_argument("--spark", action="store_true")
    options = parser.parse_args()
    try:
        import duckdb
    except ImportError:
        print("skipped: Python has no duckdb; pip install duckdb sqlglot")
        return
    try:
        import sqlglot
    except ImportError:
        sqlglot = None
        print("skipped: the files of other engines than DuckDB; pip install sqlglot")

    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        nasty = pathlib.Path(place) / "nasty.csv"
        nasty_log(nasty)
        cdnow = pathlib.Path(place) / "cdnow.csv"
        with open(ROOT / "examples" / "data" / "cdnow_sample.csv", newline="") as source, open(cdnow, "w", newline="") as target:
            csv.writer(target).writerows([line[1], line[2], line[4]] for line in csv.reader(source))
        for log in (cdnow, nasty):
            engines = {"duckdb": (f"DuckDB {duckdb.__version__}", "duckdb", duckdb_engine(log))}
            if sqlglot:
                for dialect in ("postgres", "spark", "bigquery", "snowflake"):
                    engines[dialect] = (f"{dialect}.sql translated by sqlglot", dialect, engines["duckdb"][2])
            if options.psql:
                engines["psql"] = ("PostgreSQL", "postgres", psql_engine(options.psql, log))
            if options.spark:
                engines["pyspark"] = ("Spark", "spark", spark_engine(log))
            for refunds in ("net", "drop"):
                ours = of_clv(options.clv, str(log), refunds)
                for name, dialect, run in engines.values():
                    text = query(dialect, refunds)
                    if "sqlglot" in name:
                        text = sqlglot.transpile(text, read=dialect, write="duckdb")[0]
                    wrong += compare(f"{name}, {log.stem}, refunds {refunds}", run(text), ours)
    sys.exit(1 if wrong else 0)


main()
