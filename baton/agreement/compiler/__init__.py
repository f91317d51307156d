"""From the model that people wrote to the compiled agreement that reducers ask."""
