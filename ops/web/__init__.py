"""The Cohort console: a page for operators, and the metrics of all processes on one."""
