// Package display turns values into what a notebook shows.
//
// A cell's last expression is shown by itself, through [Render]. [Show] shows
// values anywhere else. Any value has at least a text; these have more:
//
//	image.Image, [Image], [Grid]   pictures
//	a tensor                       one line; numbers, heatmap, bars or filters of one that is not large; folded, how its values lie
//	[Table], slices of structs     rows and columns; so are maps, and what has the method of [Tabler]
//	a loader, a data set, a batch  its first pictures with their labels; so is an example's
//	[HTML], [Markdown], [Latex]    what they say
//	[LivePlot], [Live], [Curves]   curves, also while a network trains
//	[ShowBatch], [ShowExamples]    what a loader or a data set holds
//	[Confusion], [Report], [ROC]   how good a classifier is; so is a [ConfusionMatrix] counted elsewhere
//	[Graph]                        a model's layers and what each of them uses
//	[Diagram]                      boxes of your own with arrows between them
//	[Weights], [Filters]           what a model has learnt
//	[Plot], [Scatter]              curves and points of your own numbers
//	[Bar], [Hist], [Heatmap]       numbers
//	[Windows]                      how a convolution or a pooling goes over its input
//	[Movie]                        any of the pictures, one after the other
//	[Row], [Columns]               any of these side by side
//	[Progress]                     how far a loop is
//	[Interact]                     sliders, menus and buttons that call a function of yours
//
// A tensor is anything with the methods of [Tensor]: the package knows no
// tensor library. A type of your own is drawn as it likes when it has one of
// the methods HTML, Markdown, PNG or Bundle; see [HTMLer] and its neighbours.
//
// Names tell when something is shown. A noun such as Grid or Image makes a
// value, which shows itself as the last expression of a cell or through Show.
// A verb such as Show, ShowBatch or Live shows at once.
//
// # What is sent
//
// Pictures are PNG, drawn at twice the size at which they are shown, with a
// text beside them for consoles. They have no ground: letters and lines are legible on
// light and on dark pages. A chart that no longer changes is a Vega-Lite
// specification too, which JupyterLab draws: the pointer reads a point's
// numbers, dragging moves the axes, the wheel with Ctrl or ⌘ zooms, and a
// double click puts them back. A chart of more than 10,000 points is a PNG only.
// Tables are HTML without scripts or style sheets, which pass JupyterLab's
// sanitiser unchanged, and a text. The same
// value gives the same bytes, so that saved notebooks can be compared. Names
// that come from data (classes, files, columns) are escaped: they are text,
// never markup. In pictures they are drawn in every script that a font of ours
// has; an emoji is spelled :otter:, and other letters U+0915.
//
// Anything else is a method Bundle away, which names its own MIME types:
//
//	func (c chart) Bundle() map[string]any {
//		return map[string]any{"application/vnd.vegalite.v5+json": c.spec, "text/plain": "a chart"}
//	}
//
// The plots of gonum.org/v1/plot are drawn as they are. The page of a go-echarts chart runs a
// script, so it goes into a frame: `<iframe srcdoc="…">`, in an [HTML] of a notebook that is trusted.
//
// # Drawing
//
// Charts and labels need fonts, which would be linked again into every cell.
// So this package only describes them, as a [Figure] or a [Sheet], and a
// [Plotter] draws them. Holt's host process has one. A plain program gets it
// by
//
//	import _ "github.com/holt-dl/holt/display/plot"
//
// and without it sees texts and unlabelled pictures.
package display
