"""What people write: the sections of ``agreement.yaml`` as frozen models. Unknown keys are errors.

These models check one value at a time. What needs two places (dangling names, thresholds that
cannot be reached) is the business of ``baton.agreement.checks``.
"""
