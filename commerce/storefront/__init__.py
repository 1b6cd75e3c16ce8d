"""The pages: what a browser sees of the shop.

Owns no tables. Reads through the features' services, renders with Jinja, and leaves every change
to the features' own doors (REST) and to socket commands. `pages.install` is the only way in.

`pages` says what each page reads and shows, `visiting` how a page comes about, `rendering` turns
it into HTML, `assets` keeps the scripts, styles and fonts. Scripts are plain ES modules: there
is no build step. `cards` is the one door: what messages point at, as each reader may see it.
"""
