"""Reports as files: a spreadsheet, comma-separated values, a page of HTML."""
