"""Every shape that crosses a boundary; nothing here does I/O or knows a vendor library."""
