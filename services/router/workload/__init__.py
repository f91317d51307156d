"""The reducer ``workload``: limits of a person over all pools."""
