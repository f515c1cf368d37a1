package page

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/wyatt915/treeblood"
)

// Elements and attributes of MathML Core (https://www.w3.org/TR/mathml-core)
// that draw something and load nothing.
var (
	mathElements = words(`math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom
		msub msup msubsup munder mover munderover mmultiscripts mprescripts mtable mtr mtd`)
	mathAttributes = words(`display displaystyle scriptlevel mathvariant form fence separator stretchy symmetric largeop
		movablelimits lspace rspace minsize maxsize accent accentunder linethickness width height depth voffset
		columnspan rowspan columnalign rowalign columnspacing rowspacing columnlines rowlines`)
	// The style by which the columns of a table are set apart.
	cellStyle = regexp.MustCompile(`^((text-align|padding-left|padding-right):[a-z0-9.]+;)+$`)
	// The TeX source, which a page does not repeat.
	mathSources = words("annotation annotation-xml")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// A longer text between dollars is no formula that a person wrote.
const maxFormula = 8 << 10

// inMarkdown is a formula as blocks leaves it for the sanitiser, which knows no MathML.
var inMarkdown = regexp.MustCompile(`(?s)<span class="math(?: display)?">([^<]*)</span>`)

// drawFormulas puts MathML in the place of formulas. One that is not understood
// stays as TeX wrote it.
func drawFormulas(page string) string {
	return inMarkdown.ReplaceAllStringFunc(page, func(found string) string {
		tex, display := formulaOf(html.UnescapeString(inMarkdown.FindStringSubmatch(found)[1]))
		drawn, err := mathML(tex, display)
		if err != nil {
			return found
		}
		return drawn
	})
}

// latex draws an output that is a formula; empty for other LaTeX.
func latex(text string) template.HTML {
	tex, display := formulaOf(text)
	drawn, err := mathML(tex, display)
	if err != nil || tex == strings.TrimSpace(text) {
		return ""
	}
	return template.HTML(drawn)
}

// formulaOf is the TeX between $ or $$, and reports whether it stands on a line
// of its own.
func formulaOf(text string) (tex string, display bool) {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "$$"); ok {
		return strings.TrimSuffix(inner, "$$"), true
	}
	return strings.Trim(text, "$"), false
}

// mathML is the formula as MathML, which browsers draw without a script; an
// error where TeX has a command that is not known.
func mathML(tex string, display bool) (source string, err error) {
	if len(tex) > maxFormula {
		return "", fmt.Errorf("a formula of %d bytes", len(tex))
	}
	defer func() {
		if r := recover(); r != nil { // of a parser that was given a text from anywhere
			err = fmt.Errorf("no formula: %v", r)
		}
	}()
	draw := treeblood.InlineStyle
	if display {
		draw = treeblood.DisplayStyle
	}
	if source, err = draw(tex, nil); err != nil {
		return "", err
	}
	return sanitiseMath(source)
}

// sanitiseMath writes anew what is MathML and can do nothing: no links, no
// handlers, no elements of HTML. A command that the parser does not know is an error,
// since it would leave a gap.
func sanitiseMath(source string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(source))
	d.Strict = false // the TeX source in it has its & as they are
	d.Entity = xml.HTMLEntity
	var b strings.Builder
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return b.String(), nil
		case err != nil:
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := t.Name.Local
			switch {
			case name == "semantics":
			case mathSources[name]:
				if err := d.Skip(); err != nil {
					return "", err
				}
			case name == "merror" || !mathElements[name]:
				return "", fmt.Errorf("a formula with %s", name)
			default:
				b.WriteString("<" + name)
				// The parser gives them in any order. The same notebook is to give the same page.
				slices.SortFunc(t.Attr, func(a, b xml.Attr) int { return cmp.Compare(a.Name.Local, b.Name.Local) })
				for _, a := range t.Attr {
					if mathAttributes[a.Name.Local] || a.Name.Local == "style" && cellStyle.MatchString(a.Value) {
						b.WriteString(" " + a.Name.Local + `="`)
						xml.EscapeText(&b, []byte(a.Value))
						b.WriteString(`"`)
					}
				}
				b.WriteString(">")
			}
		case xml.EndElement:
			if t.Name.Local != "semantics" {
				b.WriteString("</" + t.Name.Local + ">")
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				xml.EscapeText(&b, []byte(strings.Trim(string(t), "\n\t")))
			}
		}
	}
}
