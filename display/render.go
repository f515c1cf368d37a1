package display

import (
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"reflect"

	"github.com/holt-dl/holt/internal/frame"
)

// HTMLer is a value that describes itself in HTML.
type HTMLer interface{ HTML() string }

// Markdowner is a value that describes itself in Markdown.
type Markdowner interface{ Markdown() string }

// PNGer is a value that draws itself: PNG returns the bytes of a file, drawn
// at the size at which it is shown.
type PNGer interface{ PNG() []byte }

// Bundler is a value that says all it can be shown as, by MIME type. Text
// types hold a string; binary types hold []byte or a string in base64; types
// that end in json hold what encoding/json can encode.
type Bundler interface{ Bundle() map[string]any }

// bundler is what the types of this package have. An error ends the cell when
// the value was given to Show, and is shown in its place when it was a cell's
// last expression.
type bundler interface{ bundle() (frame.Bundle, error) }

// Render returns how a value is shown as the result of a cell.
//
// A value that cannot be drawn as it asks (a grid of tensors with two axes,
// say) is rendered as the error. Render does not panic, whatever the methods
// of v do.
func Render(v any) frame.Bundle {
	b, err := render(v)
	if err != nil {
		return frame.Text(err.Error())
	}
	return b
}

// Show shows values below the cell, one after the other, as Render would show
// them as a result.
//
// An error says which value cannot be shown, or that the kernel is gone. The
// values before it have been shown.
func Show(values ...any) error {
	for _, v := range values {
		b, err := render(v)
		if err != nil {
			return err
		}
		if err := frame.Display(b); err != nil {
			return fmt.Errorf("display: Show: %w", err)
		}
	}
	return nil
}

func render(v any) (b frame.Bundle, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, err = frame.Bundle{}, fmt.Errorf("display: %s: drawing it panicked: %s", typeName(reflect.TypeOf(v)), cut(fmt.Sprint(r), maxInner))
		}
	}()
	if v == nil || isNil(v) {
		return frame.Text("<nil>"), nil
	}
	switch v := v.(type) {
	case frame.Bundle:
		return v, nil
	case *frame.Bundle:
		return *v, nil
	case bundler:
		return v.bundle()
	case Bundler, HTMLer, Markdowner, PNGer:
		return own(v), nil
	case image.Image, imager:
		return Image(v).bundle()
	case []image.Image:
		return Grid{Of: v}.bundle()
	case Tensor:
		return tensorBundle(v), nil
	case error:
		return frame.Text(text(v)), nil
	case Run:
		return stateOf(v)
	case ConfusionMatrix:
		return countedBundle(v)
	case Tabler:
		return tabled(v)
	}
	if p, ok := plotter().(Drawer); ok {
		if m, w, h, err := p.Draw(v); err == nil {
			return pngBundle(m, w, h, "a "+typeName(reflect.TypeOf(v)))
		} else if !errors.Is(err, errors.ErrUnsupported) {
			return frame.Bundle{}, err
		}
	}
	if b, ok := faceOf(v); ok {
		return b, nil
	}
	if isTable(v) {
		return Table{Rows: v}.bundle()
	}
	return frame.Text(text(v)), nil
}

// tabled shows what a value's Table says, with the line of its method Note
// below, if it has one. Its text is its own, if it has one.
func tabled(v Tabler) (frame.Bundle, error) {
	head, rows := v.Table()
	b, err := Table{Head: head, Rows: rows, Max: 1000}.bundle()
	if err != nil {
		return frame.Bundle{}, err
	}
	if n, ok := v.(interface{ Note() string }); ok {
		b.Data["text/html"] = b.Data["text/html"].(string) + "<div>" + Escape(n.Note()) + "</div>"
		b.Data["text/plain"] = b.Data["text/plain"].(string) + "\n" + n.Note()
	}
	if s, ok := method(reflect.ValueOf(v)); ok {
		b.Data["text/plain"] = s
	}
	return b, nil
}

// own collects what a value's own methods say.
func own(v any) frame.Bundle {
	b := frame.Bundle{Data: map[string]any{}}
	if v, ok := v.(PNGer); ok {
		b.Data["image/png"] = base64.StdEncoding.EncodeToString(v.PNG())
	}
	if v, ok := v.(Markdowner); ok {
		b.Data["text/markdown"] = v.Markdown()
		b.Data["text/plain"] = v.Markdown()
	}
	if v, ok := v.(HTMLer); ok {
		b.Data["text/html"] = v.HTML()
		b.Data["text/plain"] = plain(v.HTML())
	}
	if s, ok := method(reflect.ValueOf(v)); ok {
		b.Data["text/plain"] = s
	}
	if v, ok := v.(Bundler); ok {
		for mime, data := range v.Bundle() {
			if raw, ok := data.([]byte); ok {
				data = base64.StdEncoding.EncodeToString(raw)
			}
			b.Data[mime] = data
		}
	}
	if b.Data["text/plain"] == nil { // every bundle has a text, for consoles
		b.Data["text/plain"] = "a " + typeName(reflect.TypeOf(v))
	}
	if b.Data["image/png"] != nil { // and every picture one for screen readers
		b.Metadata = map[string]any{"image/png": map[string]any{"alt": frame.Alt(fmt.Sprint(b.Data["text/plain"]))}}
	}
	return b
}

func isNil(v any) bool {
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
		return rv.IsNil()
	}
	return false
}
