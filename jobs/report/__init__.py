"""`pagemill report`: a sink as a folder of static files, or one file, that opens in a browser from disk without a network.

The browser builds everything that it shows from data by creating elements and setting their text, so nothing that a page says is ever
markup; a content security policy in the file forbids what would still come from elsewhere.
"""
