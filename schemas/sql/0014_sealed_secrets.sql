-- Beside password hashes the vault keeps secrets that can be read again: they are sealed.
alter table credentials alter column hash drop not null;
alter table credentials add column sealed text;
alter table credentials add constraint credentials_one check (num_nonnulls(hash, sealed) = 1);
