"""What readers are told about a release: front matter, card, figures, licences."""
