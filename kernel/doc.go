// Package kernel is a Jupyter kernel: it answers the requests of notebooks,
// consoles and editors, and hands cells to an [Engine].
//
// [Serve] binds the sockets of a connection file and runs until a client asks
// the kernel to shut down. Cells are run one after the other, in the order in
// which they came; everything else is answered at once, also while a cell
// runs, on the socket that it came by.
//
// # What holds
//
//   - Every request is answered once, and published as busy before and idle after.
//   - What a cell shows is published before its idle.
//   - A client that stalls, vanishes or sends nonsense costs the others nothing.
//   - Every reply and every output names its parent.
//
// The messages are those of https://jupyter-client.readthedocs.io/en/stable/messaging.html
// (protocol 5.4, with iopub_welcome and usage_request).
package kernel
