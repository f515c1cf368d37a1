package build

// Diagnostics reads what the compiler or go build printed. Lines that name no
// place are left out.
func Diagnostics(text string) []Diagnostic { return parseDiagnostics(text) }
