"""One document about one network: tables, charts and remarks in HTML, Markdown or LaTeX."""
