package rt

// Holder is a variable in which values of an old type may have stayed.
type Holder struct {
	Name, Cell string
	Ptr        any // its address
}

// OnOld looks for the holders that still have values of types which were
// declared again, given as "notebook/c1.T". The host process sets it.
var OnOld func(types []string, holders []Holder)

// Old is called when a program that declares types again has run.
func Old(types []string, holders []Holder) {
	if OnOld != nil {
		OnOld(types, holders)
	}
}
