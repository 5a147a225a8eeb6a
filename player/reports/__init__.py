"""Reports: HTML, SVG and PNG pages of evaluations, diversity and the map."""
