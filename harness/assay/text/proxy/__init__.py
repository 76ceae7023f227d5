"""Small language models trained in place, whose losses and hidden states say something of documents."""
