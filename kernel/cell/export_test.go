package cell

// Halves are the halves of a text.
func Halves(text string) (decls, stmts string) { return Parse(Source{Text: text}).Halves() }
