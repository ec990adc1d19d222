"""Reports: one self-contained page of HTML each, all of one look; the one home of all of them."""

from transforms.reports.statistics.example import Example as Example
from transforms.reports.statistics.report import statistics_report as statistics_report
