package rt

// Holder is a variable in which values of an old type may have stayed.
type Holder struct {
	Name, Cell string
	Ptr        any // its address
}

// Old is called when a program that declares types again has run.
func Old(types []string, holders []Holder) {
	if Host.Old != nil {
		Host.Old(types, holders)
	}
}
