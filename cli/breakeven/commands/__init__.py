"""One verb a file: parse → load → core or engine → output. Each file holds a Click command named `command`."""
