"""Teaches PaliGemmas to read: the one that ships, from nothing, and anyone's own, from labelled pages."""
