"""Where the parts of a run live when they are processes of their own."""

JOB_VARIABLE = "RLPLAT_JOB"
"""Environment variable: the job that a process belongs to. Set for the driver and all actors of a job."""
