"""Features of time series: what a row's key did before the row."""
