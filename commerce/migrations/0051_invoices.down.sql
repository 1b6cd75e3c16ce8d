drop table invoices, invoice_series, sellers;
drop function check_invoice_number();
drop function refuse_to_rewrite_invoices();
