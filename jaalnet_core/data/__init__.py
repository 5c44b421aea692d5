"""From files on a disk to arrays of pictures and masks."""
