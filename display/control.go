package display

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// A Control sets one parameter of a function that [Interact] calls: [Slider], [Menu],
// [Checkbox], [Field] or [Button].
type Control interface {
	of() string                                               // the parameter's name, or empty
	takes(k reflect.Kind) bool                                // whether it is one for parameters of that kind
	fit(t reflect.Type) (Control, error)                      // with its defaults for such a parameter
	first() string                                            // the value to begin with, as the page sends it
	shown(text string) string                                 // a value, for people
	value(text string, t reflect.Type) (reflect.Value, error) // a value, for the function
	html(i int) string                                        // of parameter i
}

// Slider sets a number.
type Slider struct {
	Name     string  // of the parameter; empty: the first number without a control
	From, To float64 // both 0 mean 0 to 1, and 0 to 10 for an integer
	Step     float64 // 0 means a hundredth of the range, and 1 for an integer
	Start    float64 // the first value; one that is not within the range is moved to its nearer end
	Log      bool    // equal ways multiply by equal factors, as learning rates want; From is above 0, and Step has no meaning

	whole bool // it is of an integer
}

// Menu sets a parameter to one of several values.
type Menu struct {
	Name    string // of the parameter; empty: the first without a control that the choices fit
	Choices any    // a slice of numbers or strings; required
	Start   int    // which of them is the first value, counted from 0
}

// Checkbox sets a bool.
type Checkbox struct {
	Name string // of the parameter; empty: the first bool without a control
	On   bool   // it begins with a tick
}

// Field sets a string to what is typed.
type Field struct {
	Name  string // of the parameter; empty: the first string without a control
	Start string // the first value
}

// Button sets an integer to how often it was pressed: a seed, say, that draws anew.
type Button struct {
	Name string // of the parameter; empty: the first integer without a control
}

func isInt(k reflect.Kind) bool    { return k >= reflect.Int && k <= reflect.Uintptr }
func isFloat(k reflect.Kind) bool  { return k == reflect.Float32 || k == reflect.Float64 }
func isNumber(k reflect.Kind) bool { return isInt(k) || isFloat(k) }

// usual is the control of a parameter that was given none; nil where there is none.
func usual(t reflect.Type) Control {
	switch k := t.Kind(); {
	case isNumber(k):
		return Slider{}
	case k == reflect.Bool:
		return Checkbox{}
	case k == reflect.String:
		return Field{}
	}
	return nil
}

// errWrongKind is an error for a control whose name is that of a parameter of another kind.
func errWrongKind(c Control, t reflect.Type, want string) error {
	return fmt.Errorf("a %s sets %s, and the parameter is a %s", strings.TrimPrefix(fmt.Sprintf("%T", c), "display."), want, t)
}

// fitKind returns a control for a parameter of a kind that it takes as it is; want names the kind.
func fitKind(c Control, t reflect.Type, want string) (Control, error) {
	if !c.takes(t.Kind()) {
		return nil, errWrongKind(c, t, want)
	}
	return c, nil
}

// numberOf makes a number of a parameter's type.
func numberOf(x float64, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	switch k := t.Kind(); {
	case isFloat(k):
		v.SetFloat(x)
	case k >= reflect.Uint && k <= reflect.Uintptr:
		if x < 0 || v.OverflowUint(uint64(x)) {
			return v, fmt.Errorf("%v is no %s", x, t)
		}
		v.SetUint(uint64(math.Round(x)))
	default:
		if v.OverflowInt(int64(x)) {
			return v, fmt.Errorf("%v is no %s", x, t)
		}
		v.SetInt(int64(math.Round(x)))
	}
	return v, nil
}

func (s Slider) of() string                { return s.Name }
func (s Slider) takes(k reflect.Kind) bool { return isNumber(k) }

func (s Slider) fit(t reflect.Type) (Control, error) {
	k := t.Kind()
	if !isNumber(k) {
		return nil, errWrongKind(s, t, "a number")
	}
	if s.From == 0 && s.To == 0 {
		s.To = 1
		if isInt(k) {
			s.To = 10
		}
	}
	switch {
	case !(s.From < s.To) || math.IsInf(s.To-s.From, 0):
		return nil, fmt.Errorf("the slider goes from %v to %v; want From below To", s.From, s.To)
	case s.Log && s.From <= 0:
		return nil, fmt.Errorf("the slider goes from %v by factors; want From above 0, or no Log", s.From)
	case s.Step < 0 || math.IsNaN(s.Step):
		return nil, fmt.Errorf("the slider's Step is %v; want one above 0", s.Step)
	}
	for _, end := range []float64{s.From, s.To} {
		if _, err := numberOf(end, t); err != nil || isInt(k) && end != math.Round(end) {
			return nil, fmt.Errorf("the slider goes from %v to %v; want values of %s", s.From, s.To, t)
		}
	}
	switch s.whole = isInt(k); {
	case s.whole:
		s.Step = math.Max(math.Round(s.Step), 1)
	case s.Step == 0:
		s.Step = roundTo((s.To-s.From)/100, 2)
	}
	s.Start = clamp(s.Start, s.From, s.To)
	return s, nil
}

// logSteps is into how many places a slider by factors is divided.
const logSteps = 200

func (s Slider) first() string            { return strconv.FormatFloat(s.Start, 'g', -1, 64) }
func (s Slider) shown(text string) string { return text }

func (s Slider) value(text string, t reflect.Type) (reflect.Value, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) {
		return reflect.Value{}, fmt.Errorf("%q is no number", text)
	}
	return numberOf(clamp(x, s.From, s.To), t)
}

func (s Slider) html(i int) string {
	from, to, step, at := s.From, s.To, s.Step, s.Start
	data := ""
	if s.Log {
		data = fmt.Sprintf(` data-from="%v" data-to="%v" data-start="%s" data-whole="%t"`, s.From, s.To, s.first(), s.whole)
		from, to, step = 0, logSteps, 1
		at = math.Round(logSteps * math.Log(s.Start/s.From) / math.Log(s.To/s.From))
	}
	return fmt.Sprintf(`<input type="range" min="%v" max="%v" step="%v" value="%v" data-i="%d"%s style="width:320px;max-width:50%%"><output>%s</output>`,
		from, to, step, at, i, data, s.first())
}

// roundTo keeps so many digits of a number.
func roundTo(x float64, digits int) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64)
	return y
}

func (m Menu) of() string { return m.Name }

func (m Menu) takes(k reflect.Kind) bool {
	t := reflect.TypeOf(m.Choices)
	if t == nil || t.Kind() != reflect.Slice {
		return true // fit says what is wrong
	}
	e := t.Elem().Kind()
	return e == k || isFloat(e) && isFloat(k) || isInt(e) && isNumber(k)
}

func (m Menu) fit(t reflect.Type) (Control, error) {
	list := reflect.ValueOf(m.Choices)
	switch {
	case list.Kind() != reflect.Slice || list.Len() == 0:
		return nil, errors.New("the menu has no choices; want Choices: []string{…}, or a slice of numbers")
	case !m.takes(t.Kind()) || t.Kind() != reflect.String && t.Kind() != reflect.Bool && !isNumber(t.Kind()):
		return nil, fmt.Errorf("the menu's choices are a %s, and the parameter is a %s", list.Type(), t)
	case m.Start < 0 || m.Start >= list.Len():
		return nil, fmt.Errorf("the menu's Start is %d, and it has %d choices, counted from 0", m.Start, list.Len())
	}
	m.Choices = reflect.AppendSlice(reflect.MakeSlice(list.Type(), 0, list.Len()), list).Interface()
	return m, nil
}

func (m Menu) first() string { return strconv.Itoa(m.Start) }

func (m Menu) choice(text string) (reflect.Value, error) {
	list := reflect.ValueOf(m.Choices)
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= list.Len() {
		return reflect.Value{}, fmt.Errorf("%q is no choice; there are %d", text, list.Len())
	}
	return list.Index(i), nil
}

func (m Menu) shown(text string) string {
	v, err := m.choice(text)
	if err != nil {
		return text
	}
	return fmt.Sprint(v.Interface())
}

func (m Menu) value(text string, t reflect.Type) (reflect.Value, error) {
	v, err := m.choice(text)
	if err != nil {
		return v, err
	}
	return v.Convert(t), nil
}

func (m Menu) html(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<select data-i="%d">`, i)
	list := reflect.ValueOf(m.Choices)
	for j := range list.Len() {
		selected := ""
		if j == m.Start {
			selected = " selected"
		}
		fmt.Fprintf(&b, `<option value="%d"%s>%s</option>`, j, selected, Escape(fmt.Sprint(list.Index(j).Interface())))
	}
	return b.String() + "</select>"
}

func (c Checkbox) of() string                { return c.Name }
func (c Checkbox) takes(k reflect.Kind) bool { return k == reflect.Bool }
func (c Checkbox) first() string             { return strconv.FormatBool(c.On) }
func (c Checkbox) shown(text string) string  { return text }

func (c Checkbox) fit(t reflect.Type) (Control, error) { return fitKind(c, t, "a bool") }

func (c Checkbox) value(text string, t reflect.Type) (reflect.Value, error) {
	on, err := strconv.ParseBool(text)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("%q is not true or false", text)
	}
	return reflect.ValueOf(on).Convert(t), nil
}

func (c Checkbox) html(i int) string {
	checked := ""
	if c.On {
		checked = " checked"
	}
	return fmt.Sprintf(`<input type="checkbox" data-i="%d"%s>`, i, checked)
}

func (f Field) of() string                { return f.Name }
func (f Field) takes(k reflect.Kind) bool { return k == reflect.String }
func (f Field) first() string             { return f.Start }
func (f Field) shown(text string) string  { return strconv.Quote(text) }

func (f Field) fit(t reflect.Type) (Control, error) { return fitKind(f, t, "a string") }

func (f Field) value(text string, t reflect.Type) (reflect.Value, error) {
	return reflect.ValueOf(text).Convert(t), nil
}

func (f Field) html(i int) string {
	return fmt.Sprintf(`<input type="text" value="%s" data-i="%d" style="width:320px;max-width:50%%">`, Escape(f.Start), i)
}

func (b Button) of() string                { return b.Name }
func (b Button) takes(k reflect.Kind) bool { return isInt(k) }
func (b Button) first() string             { return "0" }
func (b Button) shown(text string) string  { return text }

func (b Button) fit(t reflect.Type) (Control, error) { return fitKind(b, t, "an integer") }

func (b Button) value(text string, t reflect.Type) (reflect.Value, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("%q is no count", text)
	}
	return numberOf(float64(n), t)
}

func (b Button) html(i int) string {
	return fmt.Sprintf(`<button type="button" data-i="%d" value="0">again</button><output>0</output>`, i)
}
