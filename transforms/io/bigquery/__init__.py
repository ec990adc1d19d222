"""BigQuery: tables read by the Storage API, and written by load jobs at the commit."""
