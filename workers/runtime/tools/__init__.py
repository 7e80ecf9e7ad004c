"""Tools as models see them: functions of a session, schemas, results, files that come out."""
