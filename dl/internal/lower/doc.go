// Package lower writes what layers calculate into GoMLX graphs: convolutions,
// poolings, recurrences, each with its gradient where GoMLX's own is wrong,
// slow or missing. Its functions get nodes that fit and give nodes; package dl
// has the layers, their settings and weights, and checks the shapes before.
//
// Images are [N H W C] here, channels last, because XLA on the processor is
// fastest with them; height comes before width in pairs.
package lower
