"""Places to play: small ipywidgets around plain functions that draw the same figure without them."""
