"""The chart's values as types, one module a topic: schema, defaults and documentation are generated from them."""
