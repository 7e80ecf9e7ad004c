"""Bounded records for operators: dead letters, the trail of messages, alerts, feedback."""
