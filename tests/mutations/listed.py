"""All mutations; a name stands for one."""

from tests.mutations import of_deliveries, of_gates, of_input, of_jobs, of_rules

MUTATIONS = (
    *of_jobs.MUTATIONS,
    *of_deliveries.MUTATIONS,
    *of_gates.MUTATIONS,
    *of_rules.MUTATIONS,
    *of_input.MUTATIONS,
)
