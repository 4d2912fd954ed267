"""Small trainings that decide about a large one: which set is best, with which probability."""
