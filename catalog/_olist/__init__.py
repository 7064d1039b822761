"""The Olist data set, which two models of the catalog learn from: no model of its own, so it declares nothing."""
