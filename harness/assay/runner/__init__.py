"""From a submission to records: validate, train, evaluate, score, record."""
