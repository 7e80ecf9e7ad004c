"""What a model server sends, while it arrives: where it ends, how much it may be, how it is mended."""
