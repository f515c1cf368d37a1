package page

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"github.com/robert-nix/ansihtml"

	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

// outputView is an output as the template sees it.
type outputView struct {
	Class  string // output, and stderr or error where it is one
	Prompt string // of a cell's value
	HTML   template.HTML
	Text   template.HTML // preformatted
	Image  *imageView
}

type imageView struct {
	Source        template.URL // data:…
	Alt           string
	Width, Height int // in CSS pixels; 0 where the notebook does not say
}

// Pictures that a page can hold. A picture of SVG has no scripts as the source
// of an <img>.
var pictures = map[string]bool{"image/svg+xml": true, "image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// The order of preference is nbconvert's, without JavaScript and widgets.
var preference = []string{
	"text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain",
}

func output(o *ipynb.Output) outputView {
	switch o.Type {
	case ipynb.Stream:
		class := "output"
		if o.Name == "stderr" {
			class = "output stderr"
		}
		return outputView{Class: class, Text: terminal(o.Text)}
	case ipynb.Failure:
		text := strings.Join(o.Traceback, "\n")
		if text == "" {
			text = o.ErrorName + ": " + o.ErrorValue
		}
		return outputView{Class: "output error", Text: terminal(text)}
	}
	v := outputView{Class: "output"}
	if o.Type == ipynb.Result {
		v.Prompt = prompt(o.Count)
	}
	for _, mime := range preference {
		text, ok := o.Data[mime].(string)
		if !ok {
			continue
		}
		switch {
		case mime == "text/html":
			v.HTML = sanitise(text)
			if strings.Contains(strings.ToLower(text), "<script") {
				v.HTML += `<p class="note">A script of this output is left out; open the notebook to run it.</p>`
			}
		case mime == "text/markdown":
			v.HTML = markdown(text, nil)
		case mime == "text/latex":
			if v.HTML = latex(text); v.HTML == "" {
				v.Text = terminal(text)
			}
		case pictures[mime]:
			if v.Image = picture(mime, text, o); v.Image == nil {
				continue
			}
		default:
			v.Text = terminal(text)
		}
		return v
	}
	for mime, value := range o.Data { // JSON, or something that has no text
		if data, err := json.MarshalIndent(value, "", "  "); err == nil && strings.HasSuffix(mime, "json") {
			v.Text = template.HTML(template.HTMLEscapeString(string(data)))
			return v
		}
	}
	return v
}

// picture is nil for a picture that is not base64.
func picture(mime, text string, o *ipynb.Output) *imageView {
	if mime == "image/svg+xml" {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	text = strings.Join(strings.Fields(text), "")
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return nil
	}
	v := &imageView{Source: template.URL("data:" + mime + ";base64," + text)}
	v.Alt, _ = o.Data["text/plain"].(string)
	size, _ := o.Metadata[mime].(map[string]any)
	v.Width, v.Height = pixels(size["width"]), pixels(size["height"])
	return v
}

func pixels(v any) int {
	var n float64
	if _, err := fmt.Sscan(fmt.Sprint(v), &n); err != nil || n < 1 || n > 1<<15 {
		return 0
	}
	return int(n)
}

var (
	overwritten = regexp.MustCompile(`[^\n]*\r+([^\r\n])`) // as a terminal does with a progress bar's line
	cursor      = regexp.MustCompile("\x1b\\[[0-9;?]*[A-LN-Za-ln-z]")
)

// terminal turns text with ANSI colours into HTML.
func terminal(text string) template.HTML {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = overwritten.ReplaceAllString(text, "$1")
	text = cursor.ReplaceAllString(text, "")
	return template.HTML(ansihtml.ConvertToHTMLWithClasses([]byte(text), "ansi-", false))
}
