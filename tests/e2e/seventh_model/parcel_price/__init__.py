"""Price of sending a parcel: the model that docs/adding-a-model.md adds."""
