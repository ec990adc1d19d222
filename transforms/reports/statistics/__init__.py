"""The report of statistics: features, slices, drift, anomalies and example rows."""
