-- The sample target of the examples, beside the ledger's own database.
create database shop;
