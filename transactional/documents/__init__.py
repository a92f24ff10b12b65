"""Tax documents: invoices and credit notes under India's goods and services tax (GST), and their PDF."""
