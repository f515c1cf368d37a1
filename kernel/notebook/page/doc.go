// Package page writes a notebook as one file of HTML.
//
// [Write] gives a page that needs no other file and no network: code is
// coloured, Markdown is rendered, pictures are inside, and it follows the reader's light or dark
// theme. It looks much like the page of nbconvert's lab template
// (https://nbconvert.readthedocs.io).
//
// A page has no scripts. What a notebook holds, Markdown and HTML of outputs
// included, is text to this package: HTML is kept as far as a sanitiser lets it pass, so a
// notebook from elsewhere can do nothing in the reader's browser. Formulas become
// MathML, which browsers draw by themselves; one with a command that is not known stays as
// TeX wrote it.
package page
