-- What is added to prices (or is in them already) for the state, country by country and by class of
-- goods. A rate holds from its first day until the day before `valid_until`, or until another one
-- of the same country and class begins.

create table tax_rates (
    country char(2) collate "C" not null check (country ~ '^[A-Z]{2}$'),
    tax_class text collate "C" not null check (tax_class ~ '^[a-z][a-z0-9_]{0,31}$'),
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    name text not null check (length(name) between 1 and 40),
    rate_ppm integer not null check (rate_ppm between 0 and 1000000),
    is_inclusive boolean not null,
    primary key (country, tax_class, valid_from)
);

comment on column tax_rates.rate_ppm is 'Millionths: 19 % is 190000.';
comment on column tax_rates.is_inclusive is 'Whether prices contain the tax, or it comes on top.';

insert into tax_rates (country, tax_class, valid_from, valid_until, name, rate_ppm, is_inclusive)
values
    ('AT', 'digital', '2020-01-01', null, 'USt. 20 %', 200000, true),
    ('AT', 'books', '2020-01-01', null, 'USt. 10 %', 100000, true),
    ('AU', 'digital', '2020-01-01', null, 'GST 10 %', 100000, true),
    ('BE', 'digital', '2020-01-01', null, 'TVA 21 %', 210000, true),
    ('BE', 'books', '2020-01-01', null, 'TVA 6 %', 60000, true),
    ('BH', 'digital', '2020-01-01', '2022-01-01', 'VAT 5 %', 50000, false),
    ('BH', 'digital', '2022-01-01', null, 'VAT 10 %', 100000, false),
    ('CA', 'digital', '2020-01-01', null, 'GST 5 %', 50000, false),
    ('CH', 'digital', '2020-01-01', '2024-01-01', 'MWST 7.7 %', 77000, true),
    ('CH', 'digital', '2024-01-01', null, 'MWST 8.1 %', 81000, true),
    ('CH', 'books', '2024-01-01', null, 'MWST 2.6 %', 26000, true),
    ('DE', 'digital', '2020-01-01', '2020-07-01', 'USt. 19 %', 190000, true),
    ('DE', 'digital', '2020-07-01', '2021-01-01', 'USt. 16 %', 160000, true),
    ('DE', 'digital', '2021-01-01', null, 'USt. 19 %', 190000, true),
    ('DE', 'books', '2021-01-01', null, 'USt. 7 %', 70000, true),
    ('DK', 'digital', '2020-01-01', null, 'Moms 25 %', 250000, true),
    ('ES', 'digital', '2020-01-01', null, 'IVA 21 %', 210000, true),
    ('ES', 'books', '2020-05-01', null, 'IVA 4 %', 40000, true),
    ('FI', 'digital', '2020-01-01', '2024-09-01', 'ALV 24 %', 240000, true),
    ('FI', 'digital', '2024-09-01', null, 'ALV 25.5 %', 255000, true),
    ('FR', 'digital', '2020-01-01', null, 'TVA 20 %', 200000, true),
    ('FR', 'books', '2020-01-01', null, 'TVA 5.5 %', 55000, true),
    ('GB', 'digital', '2020-01-01', null, 'VAT 20 %', 200000, true),
    ('GB', 'books', '2020-05-01', null, 'VAT 0 %', 0, true),
    ('IE', 'digital', '2021-03-01', null, 'VAT 23 %', 230000, true),
    ('IN', 'digital', '2020-01-01', null, 'GST 18 %', 180000, false),
    ('IT', 'digital', '2020-01-01', null, 'IVA 22 %', 220000, true),
    ('IT', 'books', '2020-01-01', null, 'IVA 4 %', 40000, true),
    ('JP', 'digital', '2020-01-01', null, '消費税 10 %', 100000, true),
    ('KR', 'digital', '2020-01-01', null, 'VAT 10 %', 100000, true),
    ('NL', 'digital', '2020-01-01', null, 'Btw 21 %', 210000, true),
    ('NL', 'books', '2020-01-01', null, 'Btw 9 %', 90000, true),
    ('NO', 'digital', '2020-01-01', null, 'MVA 25 %', 250000, true),
    ('NZ', 'digital', '2020-01-01', null, 'GST 15 %', 150000, true),
    ('PL', 'digital', '2020-01-01', null, 'VAT 23 %', 230000, true),
    ('SE', 'digital', '2020-01-01', null, 'Moms 25 %', 250000, true),
    ('SE', 'books', '2020-01-01', null, 'Moms 6 %', 60000, true),
    ('TN', 'digital', '2020-01-01', null, 'TVA 19 %', 190000, false);
