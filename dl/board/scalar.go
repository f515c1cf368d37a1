package board

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The fields of tensorflow.Summary and of its Value.
const (
	summaryValue = 1

	valueTag      = 1
	valueSimple   = 2
	valueImage    = 4
	valueHisto    = 5
	valueTensor   = 8
	valueMetadata = 9
)

// summary writes one value of the run.
func (w *Writer) summary(tag string, value message, step int) error {
	value = append(message(nil).text(valueTag, tag), value...)
	return w.add(message(nil).bytes(eventSummary, message(nil).bytes(summaryValue, value)), step)
}

// metadata says which of TensorBoard's plugins shows a value.
func metadata(plugin string, content []byte) message {
	data := message(nil).text(1, plugin)
	if len(content) > 0 {
		data = data.bytes(2, content)
	}
	return message(nil).bytes(1, data)
}

// AddScalar adds a point to a curve. A tag such as "train/loss" is shown with
// the others of "train". TensorBoard keeps float32.
func (w *Writer) AddScalar(tag string, value float64, step int) {
	w.summary(tag, message(nil).float(valueSimple, float32(value)), step)
}

// AddScalars adds points to several curves of one diagram. Each curve is a
// run of its own, in the folder <dir>/<tag>_<name>, as PyTorch does it.
func (w *Writer) AddScalars(tag string, values map[string]float64, step int) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		folder := strings.ReplaceAll(tag, "/", "_") + "_" + strings.ReplaceAll(name, "/", "_")
		w.part(folder).AddScalar(tag, values[name], step)
	}
}

// AddText adds a text, which TensorBoard shows as Markdown.
func (w *Writer) AddText(tag, text string, step int) {
	const stringType = 7 // DT_STRING
	shape := message(nil).bytes(2, message(nil).int(1, 1))
	tensor := message(nil).int(1, stringType).bytes(2, shape).text(8, text)
	w.summary(tag+"/text_summary", message(nil).bytes(valueTensor, tensor).bytes(valueMetadata, metadata("text", nil)), step)
}

// AddHParams says with which settings a run was made and what came of it, for
// TensorBoard's comparison of runs. A setting is a string, a bool or a number.
// Each call is a run of its own in the folder <dir>/<run>; an empty run is
// the time. Metrics are added as scalars at step 0; give them names of their own,
// such as "hparam/accuracy".
func (w *Writer) AddHParams(settings map[string]any, metrics map[string]float64, run string) error {
	const (
		typeString, typeBool, typeFloat64 = 1, 2, 3
		success                           = 1
		experiment, started, ended        = 2, 3, 4 // of HParamsPluginData
	)
	var infos, start message
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		kind, value := 0, message(nil)
		switch v := settings[name].(type) {
		case string:
			kind, value = typeString, value.text(3, v)
		case bool:
			on := int64(0)
			if v {
				on = 1
			}
			kind, value = typeBool, value.int(4, on)
		default:
			number, ok := toFloat(v)
			if !ok {
				return fmt.Errorf("board: AddHParams: %s is a %T, want a string, a bool or a number; use fmt.Sprint", name, v)
			}
			kind, value = typeFloat64, value.double(2, number)
		}
		infos = infos.bytes(4, message(nil).text(1, name).int(4, int64(kind)))
		start = start.bytes(1, message(nil).text(1, name).bytes(2, value))
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		infos = infos.bytes(5, message(nil).bytes(1, message(nil).text(2, name)))
	}
	if run == "" {
		run = timeName()
	}
	in := w.part(run)
	for _, s := range []struct {
		tag   string
		field int
		data  message
	}{
		{"_hparams_/experiment", experiment, infos},
		{"_hparams_/session_start_info", started, start},
		{"_hparams_/session_end_info", ended, message(nil).int(1, success)},
	} {
		in.summary(s.tag, message(nil).bytes(valueMetadata, metadata("hparams", message(nil).bytes(s.field, s.data))), 0)
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		in.AddScalar(name, metrics[name], 0)
	}
	return in.Err()
}
