"""The options of jobs, declared once: command line, template and docs follow from them."""
