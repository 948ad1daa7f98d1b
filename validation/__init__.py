"""What sound data is: schemas, psychometric gates, careless flags, disclosure, the report."""
