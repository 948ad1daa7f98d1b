"""What a release's description says: the vocabulary of Croissant, texts on responsible use."""
