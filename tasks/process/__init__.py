"""What any process of Cohort is to the machine: signals and forks, memory, open files, stack, title."""
