// Package xla runs programs on devices: it opens backends, keeps values on the
// host and on devices, compiles graphs and runs them. It knows nothing of
// layers and training.
//
//   - A [Device] is one of a backend's, opened once; a [Group] is several that
//     share a batch.
//   - An [Array] is values, wherever they are.
//   - A [Program] is a graph compiled for a device. Equal texts are compiled
//     once, for all that ask (once.go).
//
// What takes memory of a device is run by [Device.RetryOOM], which makes room
// once by collecting garbage. Waits for the compiler are announced
// (announce.go), and end with the caller's context (context.go).
//
// Messages begin with "dl:", because it is dl whose user reads them.
package xla
