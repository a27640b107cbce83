"""One lane per kind of step: what it needs to know, what it asks of the outside, what it stores of the answer."""
