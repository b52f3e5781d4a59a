#!/usr/bin/env python3
"""How fast do the cultures grow? Reads measurements, fits each culture's growth rate, prints a small report.

    python3 growth.py [FILE]

FILE is a CSV with the columns culture, hours, density; without one the measurements beside this script are read.
"""

import csv
import math
import pathlib
import sys


def read(path):
    """Measurements by culture: {name: [(hours, density), ...]}."""
    cultures = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            cultures.setdefault(row["culture"], []).append((float(row["hours"]), float(row["density"])))
    return cultures


def growth_rate(points):
    """The slope of log(density) over time, by least squares: per hour."""
    hours = [hour for hour, _ in points]
    logs = [math.log(density) for _, density in points]
    middle = sum(hours) / len(hours)
    level = sum(logs) / len(logs)
    return sum((h - middle) * (l - level) for h, l in zip(hours, logs)) / sum((h - middle) ** 2 for h in hours)


def main():
    here = pathlib.Path(__file__).parent
    path = sys.argv[1] if len(sys.argv) > 1 else here / "measurements.csv"
    rates = {name: growth_rate(points) for name, points in read(path).items()}
    fastest = max(rates.values())
    print(f"{'culture':<12} {'per hour':>8} {'doubling':>9}")
    for name, rate in sorted(rates.items(), key=lambda item: -item[1]):
        bar = "#" * round(30 * rate / fastest)
        print(f"{name:<12} {rate:>8.3f} {math.log(2) / rate * 60:>5.0f} min  {bar}")


if __name__ == "__main__":
    main()
