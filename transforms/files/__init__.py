"""Files: URIs, filesystems, locks, and one folder of formats."""
